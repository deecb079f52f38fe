// Package plugincontainer stands in for plugins in containers, which a test server never runs.
package plugincontainer

import (
	"errors"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin/runner"
)

// Config has the fields that the server fills in.
type Config struct {
	Image, Tag, SHA256, Runtime, CgroupParent string
	Env, Entrypoint, Args                     []string
	Labels                                    map[string]string
	GroupAdd                                  int
	NanoCpus, Memory                          int64
	CapIPCLock, Rootless                      bool
}

// NewContainerRunner refuses.
func (*Config) NewContainerRunner(hclog.Logger, *exec.Cmd, string) (runner.Runner, error) {
	return nil, errors.New("this test server runs no containers")
}
