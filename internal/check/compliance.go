package check

import (
	"context"
	"fmt"
	"io"
	"time"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// ComplianceSchema names the JSON shape of a [Compliance].
const ComplianceSchema = "yinxin.compliance/1"

// Level is how strongly a clause demands.
type Level string

// The levels of GB/T 39786-2021.
const (
	Shall  Level = "应"
	Should Level = "宜"
	May    Level = "可"
)

// Clause is one demand and its answer. Status is what a probe of this hub says: passed, failed, or indeterminate where it
// rests on what the deployer must do, which Deployer says.
type Clause struct {
	Clause   string         `json:"clause"`
	Level    Level          `json:"level"`
	Demand   string         `json:"demand"`
	Status   verdict.Status `json:"status"`
	Evidence string         `json:"evidence"`
	Deployer string         `json:"deployer"`
}

// Compliance answers the clauses of GB/T 39786-2021, level 3, one by one. It is a self-check and no assessment (密评), and yinxin
// is no certified cryptographic module.
type Compliance struct {
	Schema  string         `json:"schema"`
	At      time.Time      `json:"at"`
	Notice  string         `json:"notice"`
	Verdict verdict.Status `json:"verdict"`
	Clauses []Clause       `json:"clauses"`
}

// complianceNotice stands above every answer.
const complianceNotice = "Designed and tested for GB/T 39786-2021; a self-check, no assessment, and no certified cryptographic module. " +
	"Clause numbers outside 8.4 a to g are as remembered: look them up before quoting them."

// Deployment is what the configuration says of the surroundings.
type Deployment struct {
	// TLS says that the hub itself serves TLS, AuditKey that the audit is chained by HMAC-SM3, Vault that keys lie in Vault.
	TLS, AuditKey, Vault bool
}

// Comply answers the clauses by what a check has found and by probes of its own.
func Comply(ctx context.Context, h Hub, r *Report, d Deployment, now time.Time) (*Compliance, error) {
	sealed, plain, err := atRest(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("look at what is stored: %w", err)
	}
	c := &Compliance{Schema: ComplianceSchema, At: now.UTC(), Notice: complianceNotice, Verdict: verdict.Passed}
	c.surroundings(d)
	c.accounts(r, d)
	c.contents(r, sealed, plain)
	c.management(r, d)
	for _, clause := range c.Clauses {
		if clause.Level == Shall {
			c.Verdict = worse(c.Verdict, clause.Status)
		}
	}
	return c, nil
}

func (c *Compliance) answer(clause string, level Level, demand string, status verdict.Status, evidence, deployer string) {
	c.Clauses = append(c.Clauses, Clause{clause, level, demand, status, evidence, deployer})
}

func (c *Compliance) surroundings(d Deployment) {
	c.answer("8.1 a-c", Should, "physical access; integrity of door and video records", verdict.Indeterminate, "outside of any software", "access control and video of the machine room")
	channel := "plain HTTP on loopback alone: what stands in front decides"
	if d.TLS {
		channel = "TLS 1.3, not with SM2"
	}
	tlcp := "a certified gateway that speaks TLCP, or TLS with SM2, in front of the hub, with mutual authentication"
	c.answer("8.2 a", Shall, "identity of communicating entities", verdict.Indeterminate, channel, tlcp)
	c.answer("8.2 b", Should, "integrity of communication", verdict.Indeterminate, channel, tlcp)
	c.answer("8.2 c", Shall, "confidentiality of important data in communication", verdict.Indeterminate, channel+"; envelopes are encrypted from end to end besides", tlcp)
	c.answer("8.2 d-e", Should, "boundary access control data; connecting devices", verdict.Indeterminate, "not built", "network equipment")
}

func (c *Compliance) accounts(r *Report, d Deployment) {
	c.answer("8.3 a-b", Shall, "identity of administrators; remote management channel", verdict.Failed, "administrators log in with a password alone: two factors are not built", "administration over a bastion host with two factors until then")
	audited, how := itemStatus(r, "audit")
	if audited == verdict.Passed && !d.AuditKey {
		audited, how = verdict.Indeterminate, how+"; chained by plain SM3: whoever writes the database can build another chain"
	}
	c.answer("8.3 c-e", Should, "integrity of access control data, labels and logs", audited, how, "database.audit_key_file; role rows are not protected by HMAC")
	c.answer("8.3 f", Should, "integrity and origin of important programs", verdict.Indeterminate, "packages are signed; there is no check at the start", "verify the package's signature when installing")
	c.answer("8.4 a", Shall, "identity of log-in users", verdict.Failed, "passwords (Argon2id); log-in by SM2 certificate is not built", "a sign-on in front that asks for certificates until then")
	c.answer("8.4 b", Should, "integrity of access control information", verdict.Indeterminate, "not built: rows of roles carry no HMAC", "restrict who can write the database")
}

func (c *Compliance) contents(r *Report, sealed, plain int) {
	entries, proof := itemStatus(r, "entries")
	c.answer("8.4 c", Should, "integrity of security labels", entries, "labels stand in the signed manifest of each envelope; "+proof, "")
	status := verdict.Passed
	if sealed == 0 {
		status = verdict.Indeterminate
	}
	c.answer("8.4 d", Shall, "confidentiality in transport", status, fmt.Sprintf("%d stored envelopes looked at: each is encrypted to its recipients (SM4, SM2)", sealed), "")
	status = verdict.Passed
	if plain > 0 {
		status = verdict.Indeterminate
	}
	c.answer("8.4 e", Shall, "confidentiality at rest", status,
		fmt.Sprintf("envelopes and drafts are encrypted; %d record packages of the archive looked at lie plain in the blob store, and the database holds titles of records", plain),
		"encrypted disks, or a bucket encrypted by a certified key service, for database and blobs")
	c.answer("8.4 f", Should, "integrity in transport", entries, "signed manifests, digests in the log; "+proof, "")
	stored, kept := itemStatus(r, "blobs")
	c.answer("8.4 g", Should, "integrity at rest", stored, kept, "yinxind check --read-data, by a timer")
	c.answer("8.4 h", Should, "evidence of origin and of receipt", entries, proof, "")
}

func (c *Compliance) management(r *Report, d Deployment) {
	c.answer("8.5-8.8", Shall, "rules, posts, plan and assessment, emergency", verdict.Indeterminate,
		"seal keeper and approver exclude each other in the database itself", "documents, posts and drills; yinxind restore --verify-only is one")
	usable, how := itemStatus(r, "keys")
	if usable == verdict.Passed && !d.Vault {
		usable, how = verdict.Indeterminate, how+"; they lie in files, and in the hub's memory"
	}
	c.answer("key life cycle", Shall, "generate, store, use, update, revoke, back up, recover, destroy", usable, how, "keys in Vault under a quorum (docs/keys.md)")
	c.answer("products", Shall, "certified cryptographic modules", verdict.Indeterminate, "yinxin is none", "a certified module behind `exec:` or Vault")
}

// itemStatus is what a check found of a part.
func itemStatus(r *Report, name string) (verdict.Status, string) {
	for _, i := range r.Items {
		if i.Name == name {
			return i.Status, i.Detail
		}
	}
	return verdict.Indeterminate, "not checked"
}

// samples is how many blobs are looked at.
const samples = 20

// atRest looks at the beginnings of some stored blobs: how many are envelopes, and how many packages lie plain.
func atRest(ctx context.Context, h Hub) (sealed, plain int, err error) {
	records, err := h.Database.FindRecords(ctx, archive.Query{Limit: samples})
	if err != nil {
		return 0, 0, err
	}
	packages := map[blob.Ref]bool{}
	for _, e := range records {
		packages[e.Package] = true
	}
	infos, err := h.Blobs.List(ctx, blob.Ref{}, samples)
	if err != nil {
		return 0, 0, err
	}
	for ref := range packages {
		infos = append(infos, blob.Info{Ref: ref})
	}
	seen := map[blob.Ref]bool{}
	for _, info := range infos {
		if seen[info.Ref] {
			continue
		}
		seen[info.Ref] = true
		switch head, err := beginning(ctx, h.Blobs, info.Ref); {
		case err != nil:
			continue // the check itself names blobs that are missing or damaged
		case head == envelope.Magic:
			sealed++
		case len(head) > 1 && head[:2] == "PK":
			plain++
		}
	}
	return sealed, plain, nil
}

func beginning(ctx context.Context, blobs blob.Store, ref blob.Ref) (string, error) {
	r, err := blobs.Open(ctx, ref)
	if err != nil {
		return "", err
	}
	defer r.Close()
	head := make([]byte, len(envelope.Magic))
	n, err := io.ReadFull(r, head)
	if n > 0 {
		return string(head[:n]), nil
	}
	return "", err
}
