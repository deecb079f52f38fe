// Package gcpckms stands in for a cloud's key service, which a test server never unseals with.
package gcpckms

import (
	"context"
	"errors"

	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
)

// Names that the server's configuration looks for; each is its own value.
const (
	EnvGcpCkmsWrapperCredsPath   = "gcpckms.EnvGcpCkmsWrapperCredsPath"
	EnvGcpCkmsWrapperProject     = "gcpckms.EnvGcpCkmsWrapperProject"
	EnvGcpCkmsWrapperLocation    = "gcpckms.EnvGcpCkmsWrapperLocation"
	EnvVaultGcpCkmsSealCryptoKey = "gcpckms.EnvVaultGcpCkmsSealCryptoKey"
	EnvGcpCkmsWrapperCryptoKey   = "gcpckms.EnvGcpCkmsWrapperCryptoKey"
	EnvGcpCkmsWrapperKeyRing     = "gcpckms.EnvGcpCkmsWrapperKeyRing"
	EnvVaultGcpCkmsSealKeyRing   = "gcpckms.EnvVaultGcpCkmsSealKeyRing"
)

// Wrapper wraps nothing.
type Wrapper struct{ wrapping.Wrapper }

// NewWrapper makes one.
func NewWrapper() *Wrapper { return &Wrapper{} }

// SetConfig refuses every configuration.
func (*Wrapper) SetConfig(context.Context, ...wrapping.Option) (*wrapping.WrapperConfig, error) {
	return nil, errors.New("this test server has no gcpckms seal")
}
