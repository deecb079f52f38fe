// Command vaultserver is a small Vault server for tests and for trying things out: Vault's own core, listener handlers,
// plugin catalogue and policies with a few of its engines, and without the clouds. It takes the command line of the real
// one, `server -config FILE`, and those keys of the configuration that the tests use.
//
// It is a module of its own, because Vault's server is under the Business Source License 1.1: nothing of yinxin imports
// it, it runs only as a separate process beside tests, and it is never shipped. See README.md in this folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/audit"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/credential/cert"
	"github.com/hashicorp/vault/builtin/credential/userpass"
	"github.com/hashicorp/vault/builtin/logical/transit"
	"github.com/hashicorp/vault/builtin/plugin"
	"github.com/hashicorp/vault/command/server"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/physical/raft"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv("VAULTSERVER_ENDS_WITH_STDIN") != "" {
		go func() { // whoever started it is gone when its end of the pipe is
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "vaultserver:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "dev" {
		return dev(ctx, args[1:], os.Stdout)
	}
	if len(args) == 0 || args[0] != "server" {
		return errors.New("usage: vaultserver server -config FILE | dev -plugin FILE")
	}
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	path := flags.String("config", "", "configuration file, as of vault server")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	config, err := server.LoadConfigFile(*path)
	if err != nil {
		return fmt.Errorf("read %s: %w", *path, err)
	}
	if config.Storage == nil || len(config.Listeners) != 1 || config.Listeners[0].Type != configutil.TCP {
		return fmt.Errorf("%s: want one storage and one tcp listener", *path)
	}
	core, err := newCore(config)
	if err != nil {
		return err
	}
	err = serve(ctx, core, config.Listeners[0])
	return errors.Join(err, core.Shutdown())
}

// newCore makes a core that is not unsealed yet.
func newCore(config *server.Config) (*vault.Core, error) {
	logger := hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.LevelFromString(config.LogLevel)})
	storage, err := newStorage(config.Storage, logger)
	if err != nil {
		return nil, fmt.Errorf("storage %s: %w", config.Storage.Type, err)
	}
	available, _ := storage.(physical.HABackend) // nil of storage that only one server can use
	return vault.NewCore(&vault.CoreConfig{
		RawConfig: config, Physical: storage, StorageType: config.Storage.Type, RedirectAddr: config.APIAddr,
		HAPhysical: available, ClusterAddr: config.ClusterAddr, ClusterName: "test",
		AuditBackends:      map[string]audit.Factory{"file": audit.NewFileBackend, "socket": audit.NewSocketBackend},
		CredentialBackends: credentialBackends(), LogicalBackends: logicalBackends(), BuiltinRegistry: builtin{},
		DisableMlock: config.DisableMlock, DisableCache: config.DisableCache, PluginDirectory: config.PluginDirectory,
		MaxLeaseTTL: config.MaxLeaseTTL, DefaultLeaseTTL: config.DefaultLeaseTTL,
		LogLevel: config.LogLevel, Logger: logger, AllLoggers: []hclog.Logger{logger},
	})
}

func newStorage(s *server.Storage, logger hclog.Logger) (physical.Backend, error) {
	switch s.Type {
	case "inmem":
		return inmem.NewInmem(s.Config, logger)
	case "file":
		return file.NewFileBackend(s.Config, logger)
	case "raft":
		return raft.NewRaftBackend(s.Config, logger)
	}
	return nil, errors.New("this test server has inmem, file and raft")
}

// serve answers until ctx ends.
func serve(ctx context.Context, core *vault.Core, listener *configutil.Listener) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listener.Address)
	if err != nil {
		return err
	}
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core, ListenerConfig: listener})
	if listener.ClusterAddress != "" { // where the servers of a cluster talk to each other, and a standby hands requests on
		cluster, err := net.ResolveTCPAddr("tcp", listener.ClusterAddress)
		if err != nil {
			return errors.Join(err, l.Close())
		}
		core.SetClusterListenerAddrs([]*net.TCPAddr{cluster})
		core.SetClusterHandler(handler)
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	fmt.Fprintln(os.Stderr, "vaultserver: listening on", l.Addr())
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return s.Close()
	}
}

func logicalBackends() map[string]logical.Factory {
	return map[string]logical.Factory{"kv": kv.Factory, "transit": transit.Factory, "plugin": plugin.Factory}
}

func credentialBackends() map[string]logical.Factory {
	return map[string]logical.Factory{
		"approle": approle.Factory, "cert": cert.Factory, "userpass": userpass.Factory, "plugin": plugin.Factory,
	}
}

// builtin tells the catalogue which engines are compiled in.
type builtin struct{}

func builtinNames(kind consts.PluginType) []string {
	switch kind {
	case consts.PluginTypeSecrets:
		return []string{"kv", "transit"}
	case consts.PluginTypeCredential:
		return []string{"approle", "cert", "userpass"}
	}
	return nil
}

// Contains implements plugincatalog.BuiltinRegistry.
func (builtin) Contains(name string, kind consts.PluginType) bool {
	return slices.Contains(builtinNames(kind), name)
}

// Get implements plugincatalog.BuiltinRegistry.
func (b builtin) Get(name string, kind consts.PluginType) (func() (any, error), bool) {
	if !b.Contains(name, kind) {
		return nil, false
	}
	from := logicalBackends()
	if kind == consts.PluginTypeCredential {
		from = credentialBackends()
	}
	return func() (any, error) { return from[name], nil }, true
}

// Keys implements plugincatalog.BuiltinRegistry.
func (builtin) Keys(kind consts.PluginType) []string { return builtinNames(kind) }

// DeprecationStatus implements plugincatalog.BuiltinRegistry.
func (b builtin) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, b.Contains(name, kind)
}

// IsBuiltinEntPlugin implements plugincatalog.BuiltinRegistry.
func (builtin) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }
