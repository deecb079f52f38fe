package ofdseal_test

import (
	"maps"
	"testing"

	"yinxin/seal/ofdseal"
	"yinxin/verdict"
)

// FuzzVerify puts fuzzed signature files into a sealed package. Only the seal as it was made may pass.
func FuzzVerify(f *testing.F) {
	w := mustWorld(f)
	sealed := mustUnpack(f, w.mustApply(f, mustRead(f, "u1.ofd")))
	list, describe, value := sealed.data[listFile], sealed.data[describe0], sealed.data[value0]
	options := w.options()
	f.Add(list, describe, value)
	f.Fuzz(func(t *testing.T, list, d, v string) {
		if len(list)+len(d)+len(v) > 1<<16 {
			return
		}
		pkg := &files{names: sealed.names, data: map[string]string{}}
		maps.Copy(pkg.data, sealed.data)
		pkg.data[listFile], pkg.data[describe0], pkg.data[value0] = list, d, v
		got := ofdseal.VerifyFile(pkg.mustPack(t), options)
		if got.Verdict == verdict.Passed && (d != describe || v != value) {
			t.Errorf("passed with another description or value:\n%s\n%q", d, v)
		}
	})
}
