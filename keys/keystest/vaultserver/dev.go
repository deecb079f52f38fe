package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/vault/command/server"
)

// dev runs a server in memory for trying things out: unsealed, with the plugin mounted as gm/, on loopback.
func dev(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("dev", flag.ContinueOnError)
	plugin := flags.String("plugin", "", "the built vault-plugin-gm")
	address := flags.String("address", "127.0.0.1:8200", "where to listen")
	if err := flags.Parse(args); err != nil {
		return err
	}
	path, err := filepath.Abs(*plugin)
	if err != nil {
		return err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	text := fmt.Sprintf(`{"storage":{"inmem":{}},"listener":[{"tcp":{"address":%q,"tls_disable":true}}],
		"plugin_directory":%q,"disable_mlock":true,"api_addr":%q,"log_level":"warn"}`, *address, filepath.Dir(path), "http://"+*address)
	config, err := server.ParseConfig(text, "dev")
	if err != nil {
		return err
	}
	core, err := newCore(config)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- serve(ctx, core, config.Listeners[0]) }()
	root, err := prepare(ctx, "http://"+*address, path)
	if err != nil {
		stop()
		return errors.Join(err, <-served, core.Shutdown())
	}
	fmt.Fprintf(out, "Vault with the gm engine, in memory, NOT FOR PRODUCTION: all is gone when it ends (Ctrl-C).\n\n")
	fmt.Fprintf(out, "  export VAULT_ADDR=http://%s VAULT_TOKEN=%s\n  yinxin demo --keys vault:$VAULT_ADDR/gm\n\n", *address, root)
	return errors.Join(<-served, core.Shutdown())
}

// prepare initialises and unseals the server, and registers and mounts the plugin.
func prepare(ctx context.Context, address, plugin string) (root string, err error) {
	data, err := os.ReadFile(plugin)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	var made struct {
		Keys []string `json:"keys_base64"`
		Root string   `json:"root_token"`
	}
	err = errors.New("it does not listen")
	for end := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		err = put(ctx, address+"/v1/sys/init", "", map[string]any{"secret_shares": 1, "secret_threshold": 1}, &made)
	}
	if err != nil {
		return "", err
	}
	if err := put(ctx, address+"/v1/sys/unseal", "", map[string]any{"key": made.Keys[0]}, nil); err != nil {
		return "", err
	}
	name := filepath.Base(plugin)
	register := map[string]any{"sha256": hex.EncodeToString(sum[:]), "command": name}
	err = errors.New("it does not become active")
	for end := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		err = put(ctx, address+"/v1/sys/plugins/catalog/secret/"+name, made.Root, register, nil)
	}
	if err != nil {
		return "", err
	}
	mount := map[string]any{"type": name, "config": map[string]any{"audit_non_hmac_request_keys": []string{"digest", "digests"}}}
	return made.Root, put(ctx, address+"/v1/sys/mounts/gm", made.Root, mount, nil)
}

func put(ctx context.Context, url, token string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Vault-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s: status %d: %s", url, resp.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
