# The archive: opens what comes to archive-*, keeps data keys of records (doc-*) and moves them to new versions. No seals.
path "gm/decrypt/archive-*"         { capabilities = ["update", "patch"] }
path "gm/sign/archive-*"            { capabilities = ["update", "patch"] }
path "gm/datakey/+/doc-*"           { capabilities = ["update", "patch"] }
path "gm/decrypt/doc-*"             { capabilities = ["update", "patch"] }
path "gm/rewrap/doc-*"              { capabilities = ["update", "patch"] }
path "gm/keys/archive-*"            { capabilities = ["read"] }
path "gm/keys/doc-*"                { capabilities = ["read"] }
path "auth/token/lookup-self"       { capabilities = ["read"] }
path "auth/token/renew-self"        { capabilities = ["update"] }
path "auth/token/revoke-self"       { capabilities = ["update"] }
