# Keeps the life cycle of seal keys (seal-*): making, requests, certificates, rotation, disabling. Never seals.
path "gm/keys"                      { capabilities = ["list"] }
path "gm/keys/seal-*"               { capabilities = ["read", "update"] }
path "gm/sign/*"                    { capabilities = ["deny"] }
path "gm/decrypt/*"                 { capabilities = ["deny"] }
path "auth/token/lookup-self"       { capabilities = ["read"] }
path "auth/token/renew-self"        { capabilities = ["update"] }
path "auth/token/revoke-self"       { capabilities = ["update"] }
