"""The keyboard of the shell: a line editor with history and completion. What comes in is written above the line that is being typed."""

import asyncio
import signal
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout

from clients.cli.shell.parse import ALIASES, COMMANDS, WATCHABLE
from clients.cli.shell.session import Outcome, Shell

_TAKE_SYMBOL = frozenset({"book", "quotes", "orders", "positions", "auctions", "buy", "sell", "nominate"})
_TERMS = ("ioc", "fok", "gtc", "session", "gate", "post", "reprice", "aon", "reduce", "display=", "min=", "stop=", "label=", "self=")


class ShellCompleter(Completer):
    """Commands first, then what the command takes: symbols, order ids, terms."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - the base class has it
        words = document.text_before_cursor.split(" ")
        typed = words[-1]
        for candidate in self.candidates(words[:-1]):
            if candidate.lower().startswith(typed.lower()):
                yield Completion(candidate, start_position=-len(typed))

    def candidates(self, before: list[str]) -> Iterable[str]:
        """What may come after these words."""
        before = [word for word in before if word]
        if not before:
            return COMMANDS
        name, n_words = ALIASES.get(before[0].lower(), before[0].lower()), len(before)
        if name in {"watch", "unwatch"} and n_words == 1:
            return WATCHABLE
        if (name in _TAKE_SYMBOL and n_words == 1) or (name in {"watch", "unwatch"} and before[1] in {"book", "trades"}):
            return sorted(self._shell.instruments)
        if name in {"amend", "cancel"}:
            return [*map(str, self._shell.park.open_orders), *(("price=", "quantity=") if name == "amend" else ("all", "label="))]
        if name in {"buy", "sell"}:
            return ("market",) if n_words == 3 else _TERMS if n_words > 3 else ()
        if name == "basket":
            return ("buy", "sell") if before[-1] in {"basket", "+"} else sorted(self._shell.instruments) if before[-1] in {"buy", "sell"} else ("+",)
        if name == "help":
            return COMMANDS
        return ("en", "zh") if name == "lang" else ()


class Keyboard:
    """One person's terminal."""

    def __init__(self, history_file: Path | None) -> None:
        history: History = InMemoryHistory()
        if history_file is not None:
            history_file.parent.mkdir(parents=True, exist_ok=True)
            history_file.touch(mode=0o600, exist_ok=True)
            history = FileHistory(str(history_file))
        self._lines: PromptSession[str] = PromptSession(history=history)
        self._answers: PromptSession[str] = PromptSession()  # a yes is no command to be found in the history

    async def ask(self, question: str) -> bool:
        """A yes or no; Ctrl-C and Ctrl-D are no."""
        try:
            answer = await self._answers.prompt_async(question)
        except (KeyboardInterrupt, EOFError):
            return False
        return answer.strip().lower() in {"y", "yes", "是"}

    async def run(self, shell: Shell) -> None:
        """Read and carry out lines until the person leaves or the connection is gone for good."""
        completer = ShellCompleter(shell)
        with patch_stdout(raw=True):
            while shell.park.closed is None:
                try:
                    line = await self._lines.prompt_async(
                        "parkex> ", completer=completer, complete_while_typing=False, bottom_toolbar=shell.toolbar, refresh_interval=0.5
                    )
                except KeyboardInterrupt:
                    continue  # an emptied line
                except EOFError:
                    return
                if await _interruptible(shell, line) is Outcome.QUIT:
                    return
            shell.view.line("closed", style="red", reason=str(shell.park.closed))


async def _interruptible(shell: Shell, line: str) -> Outcome:
    """A line that Ctrl-C stops waiting for."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(shell.run(line))
    loop.add_signal_handler(signal.SIGINT, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        shell.view.line("given_up", style="red")
        return Outcome.DONE
    finally:
        loop.remove_signal_handler(signal.SIGINT)
