// Package disk is a file system in memory that behaves as a disk does when things go wrong: it forgets what was not
// synced when its power is cut, it is full, and its calls fail. Experiments mount it under real programs, so that the
// shipped database driver and the shipped file code meet it through the kernel.
//
// What it promises: after [Disk.Cut] the mounted tree holds exactly what was made durable by fsync. Bytes of a file are
// durable after fsync or fdatasync of the file, a name after fsync of the folder that it stands in; with [Reordered] and
// [Torn] some of the rest is there too, by chance, in whole pages or in sectors. That is the least that POSIX lets a
// program rely on, and less than file systems with a journal give.
//
// What it does not: it says nothing about disks that lie about their cache, keeps no owners and no times, and holds
// everything in memory. The kernel passes every write(2) on at once, and pages that are written through a shared mapping
// when it likes: nothing of a hub relies on those after a crash.
package disk
