// Package envelope reads and writes the sealed unit on the wire (.yxe): a payload that is encrypted once, and for each
// recipient a part of its own, made of a clear header with only its wrapped key and a signed manifest that names only it
// and the exchange. docs/formats/envelope.md has the bytes.
//
// What is promised:
//
//   - Everybody can check the outside without a key ([Envelope.Verify]): the sender's signature over every manifest, that
//     each header is the one its manifest was signed for, that all manifests speak of one exchange, and that the payload
//     is the one they name, byte for byte.
//   - A recipient can be given its part alone ([Envelope.Extract], [Assemble]) and checks it just the same.
//   - [Envelope.Open] shows files under their names only after the signature, the root over the chunk tags and the
//     digests of every file hold. [ErrNotAddressed] means "not for me", of headers that are as they
//     were signed; a forged or damaged envelope is a verdict with a reason.
//   - An envelope that a recipient wraps again for somebody else does not open there: its manifest names the recipient
//     and the SM3 of the header.
//   - Packing and opening stream: memory does not grow with the size of the files.
//
// What is not: secrecy of the outside. Codes of sender and recipient, the roles, the exchange id, sizes and digests of
// files, urgency and the sender's report can be read by whoever carries the envelope; names and content of files can not.
// Whether the sender's certificate is the one of the directory, and whether the report says enough, is for the hub.
package envelope
