# A person who approves what an office seals: names the digest of the prepared seal, once each. Never signs; whoever approved is
# refused by the engine even if another policy let them.
path "gm/approvals/seal-{{identity.entity.metadata.office}}"        { capabilities = ["update"] }
path "gm/keys/seal-{{identity.entity.metadata.office}}"             { capabilities = ["read"] }
path "gm/keys/seal-{{identity.entity.metadata.office}}/public/+"    { capabilities = ["read"] }
path "gm/sign/*"                                                    { capabilities = ["deny"] }
path "auth/token/lookup-self"                                       { capabilities = ["read"] }
path "auth/token/renew-self"                                        { capabilities = ["update"] }
path "auth/token/revoke-self"                                       { capabilities = ["update"] }
