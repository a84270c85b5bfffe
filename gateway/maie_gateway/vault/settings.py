"""The setting of encryption; `MAIE_GATEWAY_` in the environment."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from maie_core.secret_settings import SecretText
from maie_core.settings import Settings


class VaultSettings(Settings):
    """What encrypts the data of jobs."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_")

    master_key: SecretText = ""
    """Encrypts what is stored of jobs, with a key for each job: `file:///PATH` of a file that
    `maie master-key` wrote, `awskms:///KEY` with the ARN, id or alias of a key in AWS KMS, or the
    URL of another installed key service; empty stores it as it is."""
    earlier_master_key: SecretText = ""
    """The master key before, where one of another kind takes its place, such as a key service that
    of a file. Gateways then take over what it wrapped at their next start; unset it after that."""
    encrypt_new_jobs: bool = True
    """Whether new jobs are encrypted, where there is a master key. `false` turns encryption off:
    jobs that are encrypted stay so, and stay readable as long as the master key is given."""
