package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// architectures are those that packages are built for: Go's names, which are Debian's too.
func architectures() []string { return []string{"amd64", "arm64", "loong64"} }

// packaged is one file of a Debian package: where it lies, out of which file of the repository, with which mode.
type packaged struct {
	path, source string
	mode         os.FileMode
}

func packagedFiles() []packaged {
	const doc = "usr/share/doc/yinxin/"
	return []packaged{
		{"lib/systemd/system/yinxind.service", "deploy/systemd/yinxind.service", 0o644},
		{doc + "README.md", "README.md", 0o644},
		{doc + "README.zh-CN.md", "README.zh-CN.md", 0o644},
		{doc + "CHANGELOG.md", "CHANGELOG.md", 0o644},
		{doc + "copyright", "LICENSE", 0o644},
		{doc + "fonts/SOURCES.md", "document/fonts/SOURCES.md", 0o644},
		{doc + "fonts/OFL-noto.txt", "document/fonts/data/OFL-noto.txt", 0o644},
		{doc + "fonts/OFL-wenkai.txt", "document/fonts/data/OFL-wenkai.txt", 0o644},
		{"DEBIAN/postinst", "deploy/deb/postinst", 0o755},
	}
}

// packagedPrograms says where the commands lie in a package.
func packagedPrograms() map[string]string {
	return map[string]string{
		"yinxin": "usr/bin/yinxin", "yinxind": "usr/bin/yinxind", "vault-plugin-gm": "usr/lib/yinxin/vault-plugin-gm",
	}
}

// packages builds a Debian package and a bill of materials for every architecture into dist/, with the digests of all, signed
// where RELEASE_KEY and RELEASE_CERT name a key and its certificate (as `yinxin sign` takes them). The first package is
// made twice from the beginning and must come out the same, byte for byte.
func (h *house) packages(ctx context.Context) tally {
	dist := filepath.Join(h.root, "dist")
	if err := os.RemoveAll(dist); err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	return h.release(ctx, dist)
}

// packagesSmoke does the same into a folder that is thrown away.
func (h *house) packagesSmoke(ctx context.Context) tally {
	dir, err := os.MkdirTemp("", "yinxin-dist-")
	if err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	defer os.RemoveAll(dir)
	return h.release(ctx, filepath.Join(dir, "dist"))
}

// release builds everything into the folder dist.
func (h *house) release(ctx context.Context, dist string) tally {
	r := h.newRelease(ctx, dist)
	var t tally
	var names []string
	for i, arch := range architectures() {
		deb, err := r.deb(ctx, arch, dist)
		if err != nil {
			h.printf("FAIL %s: %v\n", arch, err)
			t.failed++
			continue
		}
		if i == 0 {
			t.add(r.again(ctx, arch, deb))
		}
		if arch == runtime.GOARCH {
			t.add(r.unpacked(ctx, deb))
		}
		t.passed++
		names = append(names, deb, strings.TrimSuffix(deb, ".deb")+".cdx.json")
	}
	if t.failed > 0 {
		return t
	}
	if err := sums(dist, names); err != nil {
		h.printf("%v\n", err)
		t.failed++
		return t
	}
	t.add(h.signRelease(ctx, dist))
	return t
}

// debRelease is what all packages of one release have in common.
type debRelease struct {
	h       *house
	version string
	at      time.Time
	dist    string
}

// newRelease takes the version from VERSION and the time from SOURCE_DATE_EPOCH, else both from the newest commit.
func (h *house) newRelease(ctx context.Context, dist string) debRelease {
	r := debRelease{h: h, version: os.Getenv("VERSION"), at: time.Unix(0, 0).UTC(), dist: dist}
	commit, seconds := "", os.Getenv("SOURCE_DATE_EPOCH")
	if out, err := h.command(ctx, nil, "git", "-c", "safe.directory=*", "log", "-1", "--format=%ct %h").Output(); err == nil {
		if f := strings.Fields(string(out)); len(f) == 2 {
			seconds, commit = cmp.Or(seconds, f[0]), "."+f[1]
		}
	}
	if n, err := strconv.ParseInt(seconds, 10, 64); err == nil {
		r.at = time.Unix(n, 0).UTC()
	}
	if r.version == "" {
		r.version = "0~" + r.at.Format("20060102") + commit
	}
	return r
}

// deb builds one package and its bill of materials into the folder, and returns the package's name.
func (r debRelease) deb(ctx context.Context, arch, into string) (string, error) {
	tree, err := os.MkdirTemp("", "yinxin-deb-")
	if err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(tree)
	name := "yinxin_" + r.version + "_" + arch
	if err := os.MkdirAll(into, 0o755); err != nil {
		return "", fmt.Errorf("make %s: %w", into, err)
	}
	if err := r.programs(ctx, arch, tree); err != nil {
		return "", err
	}
	builds, err := readBuilds(tree)
	if err != nil {
		return "", err
	}
	bill, err := billOfMaterials(builds, r.version, r.at)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(into, name+".cdx.json"), bill, 0o644); err != nil {
		return "", fmt.Errorf("write bill of materials: %w", err)
	}
	if err := r.fill(arch, tree); err != nil {
		return "", err
	}
	deb := filepath.Join(into, name+".deb")
	out, err := r.h.command(ctx, []string{"SOURCE_DATE_EPOCH=" + strconv.FormatInt(r.at.Unix(), 10)},
		"dpkg-deb", "--build", "--root-owner-group", "-Zgzip", tree, deb).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("dpkg-deb: %w\n%s", err, indent(out))
	}
	return name + ".deb", nil
}

// programs builds the commands into their places.
func (r debRelease) programs(ctx context.Context, arch, tree string) error {
	for name, path := range packagedPrograms() {
		out, err := r.h.command(ctx, []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + arch}, "go", "build", "-buildvcs=false", "-trimpath",
			"-ldflags=-s -w -X yinxin/internal/release.number="+r.version, "-o", filepath.Join(tree, path), "./cmd/"+name).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build %s: %w\n%s", name, err, indent(out))
		}
	}
	return nil
}

// fill copies the other files, writes the control file, and gives everything the time of the release.
func (r debRelease) fill(arch, tree string) error {
	for _, f := range packagedFiles() {
		data, err := os.ReadFile(filepath.Join(r.h.root, f.source))
		if err != nil {
			return fmt.Errorf("package %s: %w", f.path, err)
		}
		if err := put(tree, f.path, data, f.mode); err != nil {
			return err
		}
	}
	control, err := os.ReadFile(filepath.Join(r.h.root, "deploy", "deb", "control"))
	if err != nil {
		return fmt.Errorf("package control: %w", err)
	}
	control = bytes.ReplaceAll(bytes.ReplaceAll(control, []byte("@VERSION@"), []byte(r.version)), []byte("@ARCH@"), []byte(arch))
	if err := put(tree, "DEBIAN/control", control, 0o644); err != nil {
		return err
	}
	return r.stamp(tree)
}

// stamp gives everything below tree the time of the release, and folders the mode that they have in packages.
func (r debRelease) stamp(tree string) error {
	root, err := os.OpenRoot(tree)
	if err != nil {
		return fmt.Errorf("stamp a package: %w", err)
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	return fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = root.Chmod(path, 0o755)
		}
		if err == nil {
			err = root.Chtimes(path, r.at, r.at)
		}
		return err
	})
}

func put(tree, path string, data []byte, mode os.FileMode) error {
	full := filepath.Join(tree, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return fmt.Errorf("package %s: %w", path, err)
	}
	if err := os.WriteFile(full, data, mode); err != nil {
		return fmt.Errorf("package %s: %w", path, err)
	}
	return os.Chmod(full, mode) // whatever the umask is
}

// again builds a package once more, in other folders, and compares.
func (r debRelease) again(ctx context.Context, arch, deb string) tally {
	dir, err := os.MkdirTemp("", "yinxin-again-")
	if err != nil {
		r.h.printf("%v\n", err)
		return tally{failed: 1}
	}
	defer os.RemoveAll(dir)
	if _, err := r.deb(ctx, arch, dir); err != nil {
		r.h.printf("FAIL %s: %v\n", arch, err)
		return tally{failed: 1}
	}
	for _, name := range []string{deb, strings.TrimSuffix(deb, ".deb") + ".cdx.json"} {
		one, oneErr := os.ReadFile(filepath.Join(r.dist, name))
		two, twoErr := os.ReadFile(filepath.Join(dir, name))
		if oneErr != nil || twoErr != nil || !bytes.Equal(one, two) {
			r.h.printf("FAIL %s is not reproducible (%v, %v)\n", name, oneErr, twoErr)
			return tally{failed: 1}
		}
	}
	return tally{passed: 1}
}

// unpacked takes a package apart as dpkg does, and asks the programs in it who they are.
func (r debRelease) unpacked(ctx context.Context, deb string) tally {
	dir, err := os.MkdirTemp("", "yinxin-unpacked-")
	if err != nil {
		r.h.printf("%v\n", err)
		return tally{failed: 1}
	}
	defer os.RemoveAll(dir)
	t := r.h.step(ctx, nil, "dpkg-deb", "--extract", filepath.Join(r.dist, deb), dir)
	for _, name := range []string{"yinxin", "yinxind"} {
		out, err := r.h.command(ctx, nil, filepath.Join(dir, packagedPrograms()[name]), "--version").Output()
		if want := name + " version " + r.version + "\n"; err != nil || string(out) != want {
			r.h.printf("FAIL %s says %q (%v), want %q\n", name, out, err, want)
			t.failed++
			continue
		}
		t.passed++
	}
	return t
}

// units holds the services to how much they may do: an exposure of under 2.0 out of 10, as systemd counts it.
func (h *house) units(ctx context.Context) tally {
	units, err := filepath.Glob(filepath.Join(h.root, "deploy", "systemd", "*.service"))
	if err != nil || len(units) == 0 {
		h.printf("no services in deploy/systemd (%v)\n", err)
		return tally{failed: 1}
	}
	return h.step(ctx, nil, "systemd-analyze", append([]string{"security", "--offline=true", "--no-pager", "--threshold=20"}, units...)...)
}

// sums writes SHA256SUMS, as sha256sum reads it.
func sums(dist string, names []string) error {
	slices.Sort(names)
	var b bytes.Buffer
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			return fmt.Errorf("digest of %s: %w", name, err)
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), name)
	}
	if err := os.WriteFile(filepath.Join(dist, "SHA256SUMS"), b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write digests: %w", err)
	}
	return nil
}

// signRelease signs the digests with the key of the release (SM2 with SM3, GB/T 35275), where there is one.
func (h *house) signRelease(ctx context.Context, dist string) tally {
	key, cert := os.Getenv("RELEASE_KEY"), os.Getenv("RELEASE_CERT")
	if key == "" {
		h.printf("not signed: RELEASE_KEY names no key\n")
		return tally{}
	}
	list := filepath.Join(dist, "SHA256SUMS")
	return h.step(ctx, nil, "go", "run", "./cmd/yinxin", "sign", "--key", key, "--cert", cert, list, list+".p7s")
}
