# Looks at everything public and checks signatures and tags; changes and uses nothing.
path "gm/info"                      { capabilities = ["read"] }
path "gm/keys"                      { capabilities = ["list"] }
path "gm/keys/*"                    { capabilities = ["read"] }
path "gm/proposals"                 { capabilities = ["list"] }
path "gm/proposals/+"               { capabilities = ["read"] }
path "gm/config/*"                  { capabilities = ["read"] }
path "gm/verify/*"                  { capabilities = ["update", "patch"] }
path "sys/audit-hash/*"             { capabilities = ["update"] }
path "auth/token/lookup-self"       { capabilities = ["read"] }
path "auth/token/renew-self"        { capabilities = ["update"] }
path "auth/token/revoke-self"       { capabilities = ["update"] }
