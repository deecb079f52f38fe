// Package renewal keeps the proof of time of records alive longer than the certificates and the hash algorithms that it
// began with: evidence records in the form of RFC 4998 over SM3 and time-stamps of SM2.
//
// An evidence record speaks of a group of objects: all files of a record package, say. One time-stamp covers as many
// groups as a Tree holds. Before the authority's certificate ends, the last time-stamp is stamped itself (time-stamp
// renewal, Record.RenewalLeaf and Record.Renew). Before a hash algorithm becomes weak, the objects and all that the record
// holds are hashed anew and stamped (hash-tree renewal, Record.RehashLeaf and Record.Rehash).
//
// It promises that Record.Judge calls the first time proven only if every object of the group is covered and nothing else
// is, every time-stamp was good at the time of the next one and the last is good now, times rise, each chain keeps to one
// algorithm that nobody had retired before the next chain began, and each chain covers all chains before it.
//
// It does not ask for time-stamps (crypto/tsp does), does not store records, and reads neither encrypted evidence
// (encryptionInfo, cryptoInfos) nor attributes: nothing here needs them, and what is not understood is refused. It was
// shaped after RFC 4998 sections 3 to 5 and tried against Bouncy Castle 1.72. Where the two differ
// (docs/divergences.md) it writes what both read alike.
package renewal
