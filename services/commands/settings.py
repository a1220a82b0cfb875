"""Settings for a command: a wrong one is a line, not a traceback."""

from pydantic import ValidationError
from pydantic_settings import SettingsError

import kit.settings
from kit.runtime.errors import StartError
from kit.settings import Settings


def load_settings() -> Settings:
    """Read the settings. Raises StartError that names every setting that is wrong, without its value."""
    try:
        return Settings()
    except ValidationError as error:
        prefix = getattr(kit.settings, error.title, Settings).model_config["env_prefix"]
        wrong = "; ".join(
            f"{prefix}{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise StartError(f"wrong setting: {wrong}") from None
    except SettingsError as error:
        raise StartError(f"wrong setting: {error}") from None
