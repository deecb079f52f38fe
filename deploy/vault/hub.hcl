# The hub's service (AppRole, certificate or Kubernetes; one role an instance): signs checkpoints of the evidence log with
# hub-* and tags with idx-*. Nothing of an office, no seal. A hot path: no templates, and its token carries no default policy
# (token_no_default_policy=true), so renewing and looking up stand here.
path "gm/sign/hub-*"            { capabilities = ["update", "patch"] }
path "gm/hmac/idx-*"            { capabilities = ["update", "patch"] }
path "gm/keys/+"                { capabilities = ["read"] }
path "gm/keys/+/public/+"       { capabilities = ["read"] }
path "gm/keys/+/certificate"    { capabilities = ["read"] }
path "auth/token/lookup-self"   { capabilities = ["read"] }
path "auth/token/renew-self"    { capabilities = ["update"] }
path "auth/token/revoke-self"   { capabilities = ["update"] }
path "sys/capabilities-self"    { capabilities = ["update"] }
