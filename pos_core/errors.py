"""Every failure of the project, as one small tree. Each message says what happened and what to do.

PosError
├── SettingsError            a setting or POS_HOME is wrong                      exit 2
├── DatabaseError            the database cannot be used                         exit 3
│   └── DatabaseVersionError it is too old, or of a newer schema
├── VaultError               a sealed credential cannot be opened                exit 3
├── ConfigurationError       what was given for a configuration is wrong         exit 2
│   ├── CredentialsError     the credentials lack or have something they should not
│   ├── UnknownConfigurationError   there is none with this id
│   ├── ConfigurationInUseError     something of it is live under another configuration
│   ├── ConfigurationChangedError   somebody else has changed it meanwhile
│   ├── ConfigurationInactiveError  it is disabled or deleted
│   └── SyncBacklogError            too much is asked for and not done yet
├── ReaderError              a login cannot be a reader of the marts             exit 2
├── ConnectError             a login at the vendor was not begun here, is over, or was not allowed
├── AccessTokenError         an access token of the API is missing or does not hold
├── AccessDeniedError        an access token does not allow what was asked
├── IssuerError              the issuer of access tokens cannot be asked for its keys
├── TooManyRequestsError     a caller of the API asks more often than it may
├── BusyError                so much of a kind is going on that more would make others wait
├── UnknownResourceError     what was asked for does not exist, or is another tenant's
├── QueryError               what was asked of the API contradicts itself
├── VendorError              the vendor could not be asked, or refused           exit 4
│   ├── VendorUnreachableError   no answer at all
│   ├── VendorAuthError          the token is expired, revoked or not allowed to read
│   │   └── VendorScopeError     it holds, but may not read this (403)
│   ├── VendorRateLimitError     429, for longer than we are willing to wait
│   ├── VendorRequestError       the vendor says that the request is wrong
│   ├── VendorFaultError         5xx
│   │   └── VendorAnswerError    an answer that is no valid JSON, or not as documented
│   └── VendorDownError          it was not asked: others got no answer just now
├── DocumentError            one document, or a file of them, cannot be used              exit 2
├── WebhookError             the body of a webhook cannot be an event            exit 2
│   ├── WebhookSignatureError   it is not from the vendor
│   └── WebhookSecretError      there is nothing to verify it with
├── TransformError           the models could not be built or run                exit 5
└── StackError               a port is taken, a process did not start            exit 6
"""


class PosError(Exception):
    """A failure with a message for people.

    Args:
        message: one line: what happened and what to do about it.
    """

    exit_code = 1
    error_class = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SettingsError(PosError):
    """A setting, an environment variable or the local state folder is wrong."""

    exit_code = 2
    error_class = "settings"


class DatabaseError(PosError):
    """The database cannot be reached, started or used."""

    exit_code = 3
    error_class = "database"


class DatabaseVersionError(DatabaseError):
    """The server is too old, or the schema is newer than this code."""


class VaultError(PosError):
    """A sealed credential cannot be sealed or opened."""

    exit_code = 3
    error_class = "vault"


class ConfigurationError(PosError):
    """A configuration is disabled, or what was given for it is wrong."""

    exit_code = 2
    error_class = "configuration"


class CredentialsError(ConfigurationError):
    """The credentials that were given lack something, or hold something of the wrong kind."""

    error_class = "credentials"


class UnknownConfigurationError(ConfigurationError):
    """There is no configuration with this id; another tenant's looks the same."""

    error_class = "unknown_configuration"


class ConfigurationInUseError(ConfigurationError):
    """Something of the account is live under another configuration."""

    error_class = "configuration_in_use"


class ReaderError(PosError):
    """A name that was given for a reader of the marts is none, or its role may see too much."""

    exit_code = 2
    error_class = "reader"


class ConfigurationChangedError(ConfigurationError):
    """The configuration is no longer what the caller has seen."""

    error_class = "configuration_changed"


class ConnectError(PosError):
    """What came back from the vendor's login page cannot be used: it is not ours, is over, or says no."""

    error_class = "connect"


class ConfigurationInactiveError(ConfigurationError):
    """The configuration is disabled or deleted, so that nothing is read for it."""

    error_class = "configuration_inactive"


class SyncBacklogError(ConfigurationError):
    """So much was asked for and is not done yet that more would only wait."""

    error_class = "sync_backlog"


class AccessTokenError(PosError):
    """An access token of the API is missing, expired or not signed as it must be."""

    error_class = "access_token"


class AccessDeniedError(PosError):
    """An access token does not allow what was asked."""

    error_class = "access_denied"


class IssuerError(PosError):
    """Whether an access token holds cannot be said now: its issuer's keys cannot be read."""

    error_class = "issuer"


class TooManyRequestsError(PosError):
    """A caller of the API asks more often than it may.

    Args:
        retry_after_seconds: when it may ask again.
    """

    error_class = "too_many_requests"

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BusyError(PosError):
    """So much of a kind is going on that more would make others wait."""

    error_class = "busy"


class UnknownResourceError(PosError):
    """What was asked for does not exist; what is another tenant's looks the same."""

    error_class = "unknown_resource"


class QueryError(PosError):
    """What was asked of the API contradicts itself, such as a cursor of another listing."""

    error_class = "query"


class VendorError(PosError):
    """The vendor could not be asked, or its answer says no."""

    exit_code = 4
    error_class = "vendor"


class VendorUnreachableError(VendorError):
    """No answer: name, connection, TLS or time-out."""

    error_class = "unreachable"


class VendorAuthError(VendorError):
    """The vendor does not accept the token, or not for this."""

    error_class = "auth"


class VendorScopeError(VendorAuthError):
    """The token is good, but lacks a permission."""

    error_class = "permission"


class VendorRateLimitError(VendorError):
    """The vendor keeps answering 429."""

    error_class = "rate_limit"


class VendorRequestError(VendorError):
    """The vendor says that the request is wrong (4xx); `code` is the vendor's own."""

    error_class = "request"

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class VendorFaultError(VendorError):
    """The vendor failed (5xx)."""

    error_class = "vendor_fault"


class VendorAnswerError(VendorFaultError):
    """The vendor answered something that is no JSON, or not what its documentation says."""

    error_class = "bad_answer"


class VendorDownError(VendorError):
    """The vendor was not asked, because it did not answer others just now."""

    error_class = "vendor_down"


class DocumentError(PosError):
    """One document cannot be used as it is; it is kept with this reason."""

    exit_code = 2
    error_class = "document"


class WebhookError(PosError):
    """What a vendor is said to have sent is no event: no JSON object, or one without a type."""

    exit_code = 2
    error_class = "webhook"


class WebhookSignatureError(WebhookError):
    """A delivery is not signed with a secret that we know."""

    error_class = "webhook_signature"


class WebhookSecretError(WebhookError):
    """There is no secret to verify a delivery with."""

    error_class = "webhook_secret"


class TransformError(PosError):
    """The models could not be compiled or run."""

    exit_code = 5
    error_class = "transform"


class StackError(PosError):
    """A part of the stack could not be started or stopped."""

    exit_code = 6
    error_class = "stack"
