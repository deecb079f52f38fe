# Keeps the life cycle of all keys but seals, and sets up: the first quorum, imports from the CA; takes backups once the
# quorum has consented. Where a quorum is set, the engine refuses what it guards, whatever stands here. Never uses a key: deny wins over
# whatever other policies the person has.
path "gm/keys"                      { capabilities = ["list"] }
path "gm/keys/*"                    { capabilities = ["read", "update"] }
path "gm/keys/seal-*"               { capabilities = ["read"] }
path "gm/envelope/*"                { capabilities = ["update"] }
path "gm/envelope/seal-*"           { capabilities = ["deny"] }
path "gm/wrapping_key"              { capabilities = ["read"] }
path "gm/backup/*"                  { capabilities = ["update"] }
path "gm/restore"                   { capabilities = ["update"] }
path "gm/config/*"                  { capabilities = ["read", "update"] }
path "gm/proposals"                 { capabilities = ["list"] }
path "gm/proposals/+"               { capabilities = ["read"] }
path "gm/info"                      { capabilities = ["read"] }
path "gm/sign/*"                    { capabilities = ["deny"] }
path "gm/decrypt/*"                 { capabilities = ["deny"] }
path "gm/hmac/*"                    { capabilities = ["deny"] }
path "gm/datakey/*"                 { capabilities = ["deny"] }
path "gm/rewrap/*"                  { capabilities = ["deny"] }
path "auth/token/lookup-self"       { capabilities = ["read"] }
path "auth/token/renew-self"        { capabilities = ["update"] }
path "auth/token/revoke-self"       { capabilities = ["update"] }
