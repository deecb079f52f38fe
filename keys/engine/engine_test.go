package engine_test

import (
	"testing"

	"yinxin/keys/engine"
	"yinxin/keys/keystest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	keystest.Run(t, func(*testing.T) keystest.Backend {
		return engine.New(new(keystest.Memory), engine.Options{})
	})
}

func TestReopen(t *testing.T) {
	t.Parallel()
	m := new(keystest.Memory)
	keystest.RunReopen(t, engine.New(m, engine.Options{}), func(keystest.Backend) keystest.Backend {
		return engine.New(m.Snapshot(), engine.Options{})
	})
}
