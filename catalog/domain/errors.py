"""The errors a service may raise; `web/errors.py` and `api/errors.py` map them to pages and JSON, once."""

from collections.abc import Mapping

from catalog.domain.text import N_, Message


class DomainError(Exception):
    """Something a person asked for can't be done; `message` says what happened and what to do."""

    def __init__(self, message: Message | str) -> None:
        """Keep the message for whoever shows it; a plain text counts as a message without parameters."""
        self.message = message if isinstance(message, Message) else Message(message)
        super().__init__(str(self.message))


class NotFoundError(DomainError):
    """The thing does not exist, or the actor may not know that it does."""

    def __init__(self, message: Message | str = N_("Diese Seite gibt es nicht oder nicht mehr.")) -> None:
        """Without a message of its own the answer is the same for hidden and for absent things."""
        super().__init__(message)


class ForbiddenError(DomainError):
    """The actor may see the thing but not do this with it."""

    def __init__(self, message: Message | str = N_("Dafür fehlt Ihnen die Berechtigung.")) -> None:
        """Say what is not allowed; the default serves where there is no more to say."""
        super().__init__(message)


class ConflictError(DomainError):
    """The thing has changed meanwhile, or is not in the state this step needs; nothing was written."""


class InvalidError(DomainError):
    """Input that can't be accepted; `errors` maps field paths ("deployments.0.place") to messages."""

    def __init__(self, errors: Mapping[str, Message]) -> None:
        """Keep all messages: a person wants to mend everything in one go."""
        self.errors = dict(errors)
        super().__init__(Message(N_("Bitte prüfen Sie Ihre Angaben.")))
