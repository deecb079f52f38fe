// Package azurekeyvault stands in for a cloud's key service, which a test server never unseals with.
package azurekeyvault

import (
	"context"
	"errors"

	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
)

// Names that the server's configuration looks for; each is its own value.
const (
	EnvAzureKeyVaultWrapperKeyName   = "azurekeyvault.EnvAzureKeyVaultWrapperKeyName"
	EnvVaultAzureKeyVaultKeyName     = "azurekeyvault.EnvVaultAzureKeyVaultKeyName"
	EnvAzureKeyVaultWrapperVaultName = "azurekeyvault.EnvAzureKeyVaultWrapperVaultName"
	EnvVaultAzureKeyVaultVaultName   = "azurekeyvault.EnvVaultAzureKeyVaultVaultName"
)

// Wrapper wraps nothing.
type Wrapper struct{ wrapping.Wrapper }

// NewWrapper makes one.
func NewWrapper() *Wrapper { return &Wrapper{} }

// SetConfig refuses every configuration.
func (*Wrapper) SetConfig(context.Context, ...wrapping.Option) (*wrapping.WrapperConfig, error) {
	return nil, errors.New("this test server has no azurekeyvault seal")
}

// WithDisallowEnvVars does nothing.
func WithDisallowEnvVars(bool) wrapping.Option { return func() any { return nil } }
