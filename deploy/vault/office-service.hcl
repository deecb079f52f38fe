# The service of one office: signs with office-OFFICE and opens what comes to inbox-OFFICE. Write one for each office: replace
# OFFICE by its code in lower case. No other office's keys, no hub-*, no seal.
path "gm/sign/office-OFFICE"                 { capabilities = ["update", "patch"] }
path "gm/decrypt/inbox-OFFICE"               { capabilities = ["update", "patch"] }
path "gm/keys/office-OFFICE"                 { capabilities = ["read"] }
path "gm/keys/office-OFFICE/public/+"        { capabilities = ["read"] }
path "gm/keys/office-OFFICE/certificate"     { capabilities = ["read"] }
path "gm/keys/inbox-OFFICE"                  { capabilities = ["read"] }
path "gm/keys/inbox-OFFICE/public/+"         { capabilities = ["read"] }
path "gm/keys/inbox-OFFICE/certificate"      { capabilities = ["read"] }
path "auth/token/lookup-self"                { capabilities = ["read"] }
path "auth/token/renew-self"                 { capabilities = ["update"] }
path "auth/token/revoke-self"                { capabilities = ["update"] }
