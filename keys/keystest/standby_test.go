package keystest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"yinxin/keys"
	"yinxin/keys/keystest/vaulttest"
)

// TestStandby: two servers of a cluster, of which one leads. Through either of them keys are used and changed, also after the
// lead has gone over; without a majority a use is unavailable, in time, and works again when the other server is back.
func TestStandby(t *testing.T) {
	t.Parallel()
	first := vaulttest.Start(t, vaulttest.Options{Cluster: true})
	mount := first.Mount(t)
	token := custodian(t, first, mount)
	second := first.Join(t)
	leader, standby := open(t, first, mount, token), open(t, second, mount, token)
	info := makeKey(t, standby, "k", keys.PurposeSign)
	if h := standby.Health(t.Context()); h.Status != keys.HealthOK {
		t.Errorf("health of a standby: %+v", h)
	}
	latest := 1
	both := func(when string) {
		t.Helper()
		for _, store := range []keys.Admin{leader, standby} {
			eventually(t, "sign "+when, func() error { return signs(t.Context(), store.(keys.Provider), info) })
			made, err := store.Rotate(t.Context(), "k", latest)
			if err != nil {
				t.Fatalf("rotate %s: %v", when, err)
			}
			latest, info = made.Ref.Version, made
		}
	}
	both("at first")
	first.StepDown(t, second)
	both("after the lead has gone over")

	first.Stop()
	start := time.Now()
	err := signs(t.Context(), standby, info)
	for err == nil && time.Since(start) < 20*time.Second { // it leads until it has missed the other for long enough
		err = signs(t.Context(), standby, info)
	}
	if !errors.Is(err, keys.ErrUnavailable) && !errors.Is(err, keys.ErrSealed) {
		t.Errorf("without a majority: %v", err)
	}
	eventually(t, "health without a majority", func() error {
		if h := standby.Health(t.Context()); h.Status != keys.HealthNoLeader {
			return fmt.Errorf("%+v", h)
		}
		return nil
	})
	first.Restart(t)
	if err := first.StandBy(); err != nil {
		t.Error(err)
	}
	both("when the other is back")
	if about, err := leader.Describe(t.Context(), "k"); err != nil || about.Latest != latest {
		t.Errorf("version %d was acknowledged, %d is the latest, %v", latest, about.Latest, err)
	}
}
