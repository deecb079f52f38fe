# Keeps the life cycle of all keys but seals. Never uses one: deny wins over whatever other policies the person has.
path "gm/keys"                      { capabilities = ["list"] }
path "gm/keys/*"                    { capabilities = ["read", "update"] }
path "gm/keys/seal-*"               { capabilities = ["read"] }
path "gm/info"                      { capabilities = ["read"] }
path "gm/sign/*"                    { capabilities = ["deny"] }
path "gm/decrypt/*"                 { capabilities = ["deny"] }
path "gm/hmac/*"                    { capabilities = ["deny"] }
path "gm/datakey/*"                 { capabilities = ["deny"] }
path "auth/token/lookup-self"       { capabilities = ["read"] }
path "auth/token/renew-self"        { capabilities = ["update"] }
path "auth/token/revoke-self"       { capabilities = ["update"] }
