// Command vault-plugin-gm is the gm secrets engine for Vault: keys of SM2, SM4 and HMAC-SM3 that never leave it. Vault
// starts it; deploy/vault/README.md says how to register and mount it.
package main

import (
	"fmt"
	"os"
	"syscall"

	"github.com/hashicorp/vault/sdk/plugin"

	"yinxin/keys/gmplugin"
)

func main() {
	// A core file would hold keys.
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		fmt.Fprintln(os.Stderr, "vault-plugin-gm: forbid core files:", err)
		os.Exit(1)
	}
	if err := plugin.ServeMultiplex(&plugin.ServeOpts{BackendFactoryFunc: gmplugin.Factory}); err != nil {
		fmt.Fprintln(os.Stderr, "vault-plugin-gm:", err)
		os.Exit(1)
	}
}
