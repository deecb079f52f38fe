// Package filekeys is a key store in one encrypted directory: the embedded default, which needs no set-up. It runs
// keys/engine over files.
//
// # For custodians: what it protects
//
// Against who reads the disk. Every entry is encrypted with SM4-GCM under keys derived from a random master key of 32
// bytes; the master key lies in store.json, encrypted under a key that Argon2id makes from the passphrase. Names of keys
// and the number of their versions are visible in file names; everything else is not.
//
// Against who alters single files. Each entry is bound to its path, its generation, the schema and the store, and the
// head (a list of all live entries with the SM3 of each file) is sealed in the same way. A file that is cut short,
// exchanged for another, taken from another store, or put back from an earlier generation is refused when it is read,
// with ErrDamaged; one that is missing likewise.
//
// Against a crash. New entries become durable first, then the head is replaced by rename, which is the moment of the
// change; a change is wholly there or not at all (internal/durable). Nothing is ever overwritten in place.
//
// Against two writers. A writer holds an exclusive lock for as long as the store is open; readers (Options.ReadOnly)
// share one.
//
// Against a wrong passphrase: ErrPassphrase, told apart from a damaged header by a checksum.
//
// # What it does not protect
//
// Private keys that are in use are in the memory of the process, and Go cannot promise to wipe them. Whoever can read
// that memory, or run code as the same user, has the keys. Where this is not acceptable, use the Vault engine: there the
// keys never enter this process.
//
// A directory put back as a whole, as from a backup or by somebody who wants a disabled key enabled again, looks like
// what it is: an earlier, genuine state. It is noticed only against an anchor outside the directory (Options.Anchor),
// which holds the generation and digest of the newest head. Without one, Store.Health warns with keys.WarnNoAnchor;
// with one, Open refuses with ErrRolledBack.
//
// A weak passphrase: Argon2id slows guessing down, it does not prevent it. Old copies of store.json open with the old
// passphrase, since a change of passphrase encrypts the same master key anew; after a leak make a new store and rotate.
// Deleted files may survive on the medium, encrypted.
//
// Loss: without the passphrase, or without store.json, nothing can be recovered. Back both up, apart from each other.
//
// Size: the head is rewritten with each change; the store is meant for thousands of keys, not for millions
// (MaxHead).
//
// # Layout
//
//	DIR/                     0700
//	DIR/store.json           0600  format, store id, Argon2id parameters and salt, encrypted master key, checksum
//	DIR/lock                 0600  flock
//	DIR/head                 0600  sealed: generation, live entries, digests of earlier heads
//	DIR/entries/P@G          0700/0600  sealed: the entry of path P ('/' written as '~') in generation G
//
// A sealed file is: 8 bytes "YXKEYS1\n", 8 bytes generation (big-endian), 12 bytes nonce, SM4-GCM ciphertext with its
// 16-byte tag. Associated data: "yinxin filekeys v1", 0, store id (16 bytes), path ("head" for the head), 0, generation
// (8 bytes). Keys: HKDF-SM3 of the master key, salt = store id, info "entry" and "head". Modes are checked when files
// are read: anything that group or others may do is refused with an *InsecureError.
package filekeys
