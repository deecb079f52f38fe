package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"yinxin/crypto/gm"
	"yinxin/document"
	"yinxin/seal"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// Seals lists registered seals and requests for new ones.
type Seals interface {
	seal.Registry
	seal.Requests
	// SealsOf lists the seals of an office, oldest first; of all offices where none is named.
	SealsOf(ctx context.Context, office string) ([]seal.Record, error)
}

// OfficeService is what the routes of the hosted office need.
type OfficeService struct {
	Office    *office.Service
	Registrar *office.Registrar
	Seals     Seals
}

// Routes are the routes of the office service, for Config.Extra.
func (o OfficeService) Routes(*Server) []Route {
	const p = api.Prefix + "/office"
	clerk := []directory.Role{directory.Clerk}
	staff := []directory.Role{directory.Clerk, directory.Approver, directory.SealKeeper}
	routes := []Route{
		{Method: http.MethodPost, Path: p + "/dispatches", Access: ByRole, Roles: clerk, Handle: o.ask},
		{Method: http.MethodGet, Path: p + "/dispatches", Access: ByRole, Roles: staff, Handle: o.listDispatches()},
		{Method: http.MethodGet, Path: p + "/dispatches/{id:" + id + "}", Access: ByRole, Roles: staff, Handle: o.showDispatch()},
		{Method: http.MethodGet, Path: p + "/dispatches/{id:" + id + "}/preview", Access: ByRole, Roles: staff, Handle: o.preview()},
		{
			Method: http.MethodPost, Path: p + "/dispatches/{id:" + id + "}/decision", Access: ByRole,
			Roles: []directory.Role{directory.Approver}, Handle: o.decide(),
		},
		{Method: http.MethodPost, Path: p + "/deliveries/{id:" + id + "}/open", Access: ByRole, Roles: clerk, Handle: o.open()},
		{Method: http.MethodPost, Path: p + "/deliveries/{id:" + id + "}/sign-for", Access: ByRole, Roles: clerk, Handle: o.signFor()},
		{Method: http.MethodPost, Path: p + "/deliveries/{id:" + id + "}/return", Access: ByRole, Roles: clerk, Handle: o.giveBack()},
		{Method: http.MethodPost, Path: p + "/exchanges/{id:" + id + "}/withdraw", Access: ByRole, Roles: clerk, Handle: o.withdraw()},
		{
			Method: http.MethodPost, Path: p + "/exchanges/{id:" + id + "}/acknowledge-return", Access: ByRole, Roles: clerk,
			Handle: o.acknowledgeReturn(),
		},
		{
			Method: http.MethodPost, Path: p + "/exchanges/{id:" + id + "}/request-withdrawal", Access: ByRole, Roles: clerk,
			Handle: o.requestWithdrawal(),
		},
		{Method: http.MethodPost, Path: p + "/exchanges/{id:" + id + "}/reissue", Access: ByRole, Roles: clerk, Key: true, Handle: o.reissue()},
		{Method: http.MethodPost, Path: p + "/refusals", Access: ByRole, Roles: clerk, Handle: o.reportRefused()},
		{
			Method: http.MethodPost, Path: p + "/organisations", Access: ByRole, Roles: []directory.Role{directory.Admin},
			Handle: o.establish(),
		},
		{
			Method: http.MethodPost, Path: p + "/certificates", Access: ByRole, Roles: []directory.Role{directory.Admin},
			Handle: o.certify(),
		},
	}
	return append(routes, o.sealRoutes()...)
}

// refused turns a refusal of the office service into its problem; anything else goes on as it is.
func refused(err error) error {
	if err == nil {
		return nil
	}
	if invalid, ok := errors.AsType[*document.InvalidError](err); ok {
		faults := make([]api.Fault, 0, len(invalid.Faults))
		for _, f := range invalid.Faults {
			faults = append(faults, api.Fault{Pointer: "/draft/" + f.Field, Detail: f.Detail})
		}
		return api.NewProblem(api.Validation, "", faults...)
	}
	code := office.CodeOf(err)
	switch code {
	case api.Internal, api.Dependency: // told by the table of all routes, and logged with their causes
		return err
	case api.ClassifiedContent, api.NotFound: // nothing of the content, and nothing of what belongs to others
		return api.NewProblem(code, "")
	}
	return api.NewProblem(code, err.Error())
}

const draftTimeout = 5 * time.Minute

// ask composes a draft and asks for its seal.
func (o OfficeService) ask(w http.ResponseWriter, c *Call) error {
	var in api.DispatchRequest
	if err := readJSONUpTo(w, c, &in, api.MaxDraft, draftTimeout); err != nil {
		return err
	}
	d, draft, err := o.askFor(c.Context(), office.PersonOf(c.Account), in)
	if err != nil {
		return refused(err)
	}
	out := wireDispatch(d)
	out.Title, out.Warnings = draft.Metadata.Title, draft.Warnings
	writeJSON(w, http.StatusCreated, out)
	return nil
}

func (o OfficeService) askFor(ctx context.Context, who office.Person, in api.DispatchRequest) (office.Dispatch, *office.Draft, error) {
	doc, err := document.Parse([]byte(in.Draft))
	if err != nil {
		return office.Dispatch{}, nil, o.noteClassified(ctx, who, err)
	}
	draft, err := office.Compose(doc, o.Office.Faces, attached(in.Attachments))
	if err != nil {
		return office.Dispatch{}, nil, o.noteClassified(ctx, who, err)
	}
	if in.Seal == "" {
		if in.Seal, err = o.onlySeal(ctx, who.Office); err != nil {
			return office.Dispatch{}, nil, err
		}
	}
	to, refers := recipientsOf(in.To, in.CC, in.Copies), transport.Reference{}
	if in.Refers != nil {
		refers = transport.Reference{Kind: transport.ReferenceKind(in.Refers.Kind), Exchange: in.Refers.Exchange}
	}
	d, err := o.Office.Ask(ctx, who, office.SealAsk{
		Draft: draft, Seal: in.Seal, Recipients: to, Urgency: office.UrgencyOf(draft.Metadata.Urgency),
		Refers: refers, Copies: in.Copies,
	})
	return d, draft, err
}

func recipientsOf(to, cc []string, copies int) []office.Recipient {
	all := make([]office.Recipient, 0, len(to)+len(cc))
	for _, code := range to {
		all = append(all, office.Recipient{Code: code, Role: transport.To, Copies: copies})
	}
	for _, code := range cc {
		all = append(all, office.Recipient{Code: code, Role: transport.CC, Copies: copies})
	}
	return all
}

// reissue sends what was sent before to more recipients. The idempotency key names the dispatch, so that a repeat is the
// same one.
func (o OfficeService) reissue() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.Reissuing) (api.Dispatch, error) {
		d, err := o.Office.Reissue(ctx, office.PersonOf(c.Account), c.Key, c.Var("id"), recipientsOf(in.To, in.CC, in.Copies))
		return wireDispatch(d), refused(err)
	})
}

func (o OfficeService) requestWithdrawal() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.SenderAct) (api.Delivery, error) {
		d, err := o.Office.RequestWithdrawal(ctx, office.PersonOf(c.Account), c.Var("id"), in.Recipient, in.Text)
		return plainDelivery(d), refused(err)
	})
}

// noteClassified records the refusal of a classified document, without its content, before it is answered.
func (o OfficeService) noteClassified(ctx context.Context, who office.Person, err error) error {
	if !errors.Is(err, document.ErrClassified) {
		return err
	}
	return errors.Join(err, o.Office.NoteRefused(ctx, who, err))
}

func attached(files []api.NamedFile) office.Attachments {
	return func(name string) ([]byte, error) {
		for _, f := range files {
			if f.Name == name {
				return f.Data, nil
			}
		}
		return office.NoAttachments(name)
	}
}

func wireDispatch(d office.Dispatch) api.Dispatch {
	out := api.Dispatch{
		ID: d.ID, State: string(d.State), Exchange: d.Exchange, Requester: d.Requester, Seal: d.Seal, To: []string{}, CC: []string{},
		Urgency: string(d.Urgency), SealedAt: d.SealedAt, Unsealed: d.Unsealed.String(), Digest: d.Digest.String(),
		Approver: d.Approver, Comment: d.Comment, CreatedAt: d.CreatedAt, DecidedAt: d.DecidedAt, NextAction: "none",
		Refers: wireReference(d.Refers), Places: wirePlaces(d.Stamps),
	}
	if k := d.KeyUse; k != nil {
		out.SealingKey = &api.SealingKey{Name: k.Name, Version: k.Version, Certificates: k.Chain, OFD: k.OFD.String(), PDF: k.PDF.String()}
	}
	for _, r := range d.Recipients {
		if r.Role == transport.To {
			out.To = append(out.To, r.Code)
		} else {
			out.CC = append(out.CC, r.Code)
		}
	}
	switch d.State {
	case office.Pending:
		out.NextAction = "approve"
	case office.Approved, office.Packed:
		out.NextAction = "wait"
	case office.Sent, office.Declined, office.Failed, office.Refused:
	}
	return out
}

func wirePlaces(stamps []office.Stamp) []api.SealPlace {
	out := make([]api.SealPlace, 0, len(stamps))
	for _, st := range stamps {
		out = append(out, api.SealPlace{Page: st.Page + 1, X: st.X, Y: st.Y, W: st.W, H: st.H})
	}
	return out
}

func (o OfficeService) listDispatches() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.Dispatch], error) {
		page, err := pageOf(c)
		if err != nil {
			return api.List[api.Dispatch]{}, err
		}
		got, err := o.Office.List(ctx, office.PersonOf(c.Account), office.State(c.URL.Query().Get("state")), page.Limit)
		out := api.List[api.Dispatch]{Items: []api.Dispatch{}}
		for _, d := range got {
			out.Items = append(out.Items, wireDispatch(d))
		}
		return out, refused(err)
	})
}

func (o OfficeService) showDispatch() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.Dispatch, error) {
		d, err := o.Office.Dispatch(ctx, office.PersonOf(c.Account), c.Var("id"))
		return wireDispatch(d), refused(err)
	})
}

func (o OfficeService) preview() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) ([]api.NamedFile, error) {
		ofdFile, pdfFile, err := o.Office.Preview(ctx, office.PersonOf(c.Account), c.Var("id"))
		return []api.NamedFile{{Name: office.DocumentName, Data: ofdFile}, {Name: office.CopyName, Data: pdfFile}}, refused(err)
	})
}

func (o OfficeService) decide() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.Decision) (api.Dispatch, error) {
		digest, err := transport.ParseDigest(in.Digest)
		if err != nil {
			return api.Dispatch{}, api.NewProblem(api.Validation, "", api.Fault{Pointer: "/digest", Detail: "is no digest"})
		}
		unsealed, err := transport.ParseDigest(in.Unsealed)
		if err != nil && (in.Approve || in.Unsealed != "") {
			return api.Dispatch{}, api.NewProblem(api.Validation, "", api.Fault{Pointer: "/unsealed_sm3", Detail: "is no digest"})
		}
		d, err := o.Office.Decide(ctx, office.PersonOf(c.Account), c.Var("id"), office.Decision{
			Unsealed: unsealed, Digest: digest, Approve: in.Approve, Comment: in.Comment, KeyApprovals: in.KeyApprovals,
		})
		return wireDispatch(d), refused(err)
	})
}

// opener opens a delivery into a folder.
type opener func(ctx context.Context, who office.Person, delivery, dir string) (*office.Opened, error)

// inTemp opens a delivery in a folder that is gone afterwards.
func (o OfficeService) inTemp(
	ctx context.Context, c *Call, open opener, do func(dir string, opened *office.Opened) error,
) (err error) {
	dir, err := os.MkdirTemp(o.Office.TempDir, "open-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	opened, err := open(ctx, office.PersonOf(c.Account), c.Var("id"), dir)
	if err != nil {
		return refused(err)
	}
	return do(dir, opened)
}

func (o OfficeService) open() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (out api.OpenedDocument, err error) {
		err = o.inTemp(ctx, c, o.Office.Open, func(dir string, opened *office.Opened) error {
			for _, name := range opened.Files {
				data, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					return err
				}
				out.Files = append(out.Files, api.NamedFile{Name: name, Data: data})
			}
			out.Delivery = plainDelivery(opened.Received.Delivery)
			out.Report, err = json.Marshal(verdict.NewReport(o.Office.Policy.Setting(), opened.Verdicts...))
			return err
		})
		return out, err
	})
}

// plainDelivery is a delivery without its evidence.
func plainDelivery(d transport.Delivery) api.Delivery {
	return api.Delivery{
		ID: d.ID, Exchange: d.Exchange, Sender: d.Sender, Recipient: d.Recipient, Role: string(d.Role), State: string(d.State),
		Overdue: d.Overdue, Reminders: d.Reminders, Reason: d.Reason, Comment: d.Comment, SignNumber: d.SignNumber, ChangedAt: d.ChangedAt,
		Copies: d.Copies, WithdrawalRequested: d.WithdrawalRequested, Escalated: d.Escalated,
	}
}

func (o OfficeService) signFor() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.SignFor) (out api.Delivery, err error) {
		err = o.inTemp(ctx, c, o.Office.Reopen, func(_ string, opened *office.Opened) error {
			d, err := o.Office.SignFor(ctx, office.PersonOf(c.Account), opened, in.Number, in.Comment)
			out = plainDelivery(d)
			return refused(err)
		})
		return out, err
	})
}

func (o OfficeService) giveBack() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.GiveBack) (api.Delivery, error) {
		d, err := o.Office.Return(ctx, office.PersonOf(c.Account), c.Var("id"), in.Reason, in.Text)
		return plainDelivery(d), refused(err)
	})
}

func (o OfficeService) withdraw() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.SenderAct) (api.Delivery, error) {
		d, err := o.Office.Withdraw(ctx, office.PersonOf(c.Account), c.Var("id"), in.Recipient, in.Text)
		return plainDelivery(d), refused(err)
	})
}

func (o OfficeService) acknowledgeReturn() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.SenderAct) (api.Delivery, error) {
		d, err := o.Office.AcknowledgeReturn(ctx, office.PersonOf(c.Account), c.Var("id"), in.Recipient)
		return plainDelivery(d), refused(err)
	})
}

// reportRefused records a refusal that the sender's own side made; only the code of a classified document is taken.
func (o OfficeService) reportRefused() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.Refused) (struct{}, error) {
		if in.Code != api.ClassifiedContent {
			return struct{}{}, api.NewProblem(api.Validation, "", api.Fault{Pointer: "/code", Detail: "is not classified_content"})
		}
		return struct{}{}, o.Office.NoteRefused(ctx, office.PersonOf(c.Account), document.ErrClassified)
	})
}

func (o OfficeService) establish() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.Organisation) (api.Organisation, error) {
		made, err := o.Registrar.Establish(ctx, office.PersonOf(c.Account), directory.Organisation{
			Code: in.Code, Name: in.Name, Aliases: in.Aliases, Parent: in.Parent, Archive: in.Archive,
		})
		in.SigningCert, in.EncryptionCert, in.Status = string(made.SigningCert), string(made.EncryptionCert), string(directory.Active)
		return in, refused(err)
	})
}

func (o OfficeService) certify() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.CertifyRequest) (api.Organisation, error) {
		out := in.Organisation
		pub, err := gm.ParsePublicKey(in.EncryptionKey)
		if err != nil {
			return out, api.NewProblem(api.Validation, "", api.Fault{Pointer: "/encryption_key", Detail: "is no SM2 public key"})
		}
		made, err := o.Registrar.Certify(ctx, office.PersonOf(c.Account), directory.Organisation{
			Code: out.Code, Name: out.Name, Aliases: out.Aliases, Parent: out.Parent,
		}, in.SigningRequest, pub)
		out.SigningCert, out.EncryptionCert, out.Status = string(made.Signing), string(made.Encryption), string(directory.Active)
		return out, refused(err)
	})
}
