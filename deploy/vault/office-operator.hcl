# A person who seals for an office: one digest at a time with the seal of the own office, which stands in the entity's
# metadata, each with the approval of another person (keys are made with approval_required). Every other parameter, a batch or a whole message too, is refused by Vault itself.
path "gm/sign/seal-{{identity.entity.metadata.office}}" {
  capabilities        = ["update", "patch"]
  required_parameters = ["digest", "approval"]
  allowed_parameters  = { "digest" = [], "approval" = [], "purpose" = ["seal"], "key_version" = [], "encoding" = ["asn1"] }
}
path "gm/keys/seal-{{identity.entity.metadata.office}}"             { capabilities = ["read"] }
path "gm/keys/seal-{{identity.entity.metadata.office}}/public/+"    { capabilities = ["read"] }
path "gm/keys/seal-{{identity.entity.metadata.office}}/certificate" { capabilities = ["read"] }
path "auth/token/lookup-self"                                       { capabilities = ["read"] }
path "auth/token/renew-self"                                        { capabilities = ["update"] }
path "auth/token/revoke-self"                                       { capabilities = ["update"] }
