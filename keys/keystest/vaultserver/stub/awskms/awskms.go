// Package awskms stands in for a cloud's key service, which a test server never unseals with.
package awskms

import (
	"context"
	"errors"

	"github.com/hashicorp/go-hclog"
	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
)

// Names that the server's configuration looks for; each is its own value.
const (
	EnvVaultAwsKmsSealKeyId = "awskms.EnvVaultAwsKmsSealKeyId"
	EnvAwsKmsWrapperKeyId   = "awskms.EnvAwsKmsWrapperKeyId"
)

// Wrapper wraps nothing.
type Wrapper struct{ wrapping.Wrapper }

// NewWrapper makes one.
func NewWrapper() *Wrapper { return &Wrapper{} }

// SetConfig refuses every configuration.
func (*Wrapper) SetConfig(context.Context, ...wrapping.Option) (*wrapping.WrapperConfig, error) {
	return nil, errors.New("this test server has no awskms seal")
}

// WithDisallowEnvVars does nothing.
func WithDisallowEnvVars(bool) wrapping.Option { return func() any { return nil } }

// WithLogger does nothing.
func WithLogger(hclog.Logger) wrapping.Option { return func() any { return nil } }
