// Package ocikms stands in for a cloud's key service, which a test server never unseals with.
package ocikms

import (
	"context"
	"errors"

	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
)

// Names that the server's configuration looks for; each is its own value.
const (
	EnvOciKmsWrapperCryptoEndpoint       = "ocikms.EnvOciKmsWrapperCryptoEndpoint"
	EnvVaultOciKmsSealCryptoEndpoint     = "ocikms.EnvVaultOciKmsSealCryptoEndpoint"
	EnvOciKmsWrapperKeyId                = "ocikms.EnvOciKmsWrapperKeyId"
	EnvVaultOciKmsSealKeyId              = "ocikms.EnvVaultOciKmsSealKeyId"
	EnvOciKmsWrapperManagementEndpoint   = "ocikms.EnvOciKmsWrapperManagementEndpoint"
	EnvVaultOciKmsSealManagementEndpoint = "ocikms.EnvVaultOciKmsSealManagementEndpoint"
	KmsConfigKeyId                       = "ocikms.KmsConfigKeyId"
	KmsConfigCryptoEndpoint              = "ocikms.KmsConfigCryptoEndpoint"
	KmsConfigManagementEndpoint          = "ocikms.KmsConfigManagementEndpoint"
)

// Wrapper wraps nothing.
type Wrapper struct{ wrapping.Wrapper }

// NewWrapper makes one.
func NewWrapper() *Wrapper { return &Wrapper{} }

// SetConfig refuses every configuration.
func (*Wrapper) SetConfig(context.Context, ...wrapping.Option) (*wrapping.WrapperConfig, error) {
	return nil, errors.New("this test server has no ocikms seal")
}
