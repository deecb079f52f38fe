# A custodian whose consent counts (a member of the engine's quorum): proposes, looks, approves and rejects. Does nothing else;
# whether an entity is a member is the engine's rule (gm/config/quorum), not this policy.
path "gm/proposals"                 { capabilities = ["list", "update"] }
path "gm/proposals/*"               { capabilities = ["read", "update"] }
path "gm/config/quorum"             { capabilities = ["read"] }
path "gm/config/recovery"           { capabilities = ["read"] }
path "gm/keys"                      { capabilities = ["list"] }
path "gm/keys/*"                    { capabilities = ["read"] }
path "gm/sign/*"                    { capabilities = ["deny"] }
path "gm/decrypt/*"                 { capabilities = ["deny"] }
path "auth/token/lookup-self"       { capabilities = ["read"] }
path "auth/token/renew-self"        { capabilities = ["update"] }
path "auth/token/revoke-self"       { capabilities = ["update"] }
