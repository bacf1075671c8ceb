"""Walk the pages of OVMS's embeddings demo command by command, with our commands in place of theirs.

    python docs/walkthrough.py PAGE.md... [--write docs/ovms_pages.md]

Models of the hub are miniatures from tests/data, given out by a stand-in for the hub. Ends with 1 when a command that
can be run here fails. docs/ovms_pages.md is the table that it writes.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENCODERS = ROOT / "tests" / "data" / "encoders"
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

import hub_stand_in  # noqa: E402 - it lies in tests/helpers

OURS = [sys.executable, "-m", "calcgraph.servers"]
MODEL = "BAAI/bge-large-en-v1.5"
_INLINE = re.compile(r"`(python export_model\.py [^`]+)`$")
_COMMAND = re.compile(
    r"(curl|pip3?|mkdir|python|docker|ovms|git|pushd|popd|cd|tree|mteb|echo) ?(?!\w*:)"
)
_NAMED = re.compile(r"--source_model ([\w./-]+)")
# Small machines run these commands too.
_FEWER = ["--limit", "32", "--no_progress"]


@dataclass(frozen=True)
class Step:
    """A command of a page, what was run for it ("" is nothing), and how it ended."""

    page: str
    command: str
    run: str
    result: str

    @property
    def failed(self) -> bool:
        return self.result.startswith("FAILED")


@dataclass
class Walk:
    """One page on its way: a folder for what it makes on CPU and one for GPU, and its server."""

    page: str
    place: Path
    environment: dict[str, str]
    opened: ExitStack
    rest: str = ""
    commands: Sequence[str] = ()
    steps: list[Step] = field(default_factory=list)

    def walk(self) -> list[Step]:
        for command in self.commands:
            for pattern, act in _ACTS:
                if pattern.search(command):
                    run, result = act(self, command)
                    self.steps.append(Step(self.page, command, run, result))
                    break
            else:
                self.steps.append(Step(self.page, command, "", "FAILED: no rule for it"))
        return self.steps

    def folder(self, command: str) -> Path:
        folder = self.place / ("gpu" if "GPU" in command else "cpu")
        folder.mkdir(exist_ok=True)
        return folder

    def call(self, arguments: Sequence[str], folder: Path, sign: str = "") -> tuple[bool, str]:
        """Run a command; whether it ended well, and the last line that it wrote, of those that begin with `sign`."""
        done = subprocess.run(
            arguments,
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        output = done.stdout.strip() or done.stderr.strip()
        said = (output if done.returncode == 0 else done.stderr.strip() or output).splitlines()
        said = [line for line in said if line.startswith(sign)] or said
        return done.returncode == 0, said[-1] if said else ""

    def ours(self, command: str, arguments: Sequence[str], sign: str = "") -> tuple[str, str]:
        good, said = self.call([*OURS, *arguments], self.folder(command), sign)
        return f"calcgraph {shlex.join(arguments)}", _result(good, said)


def _result(good: bool, said: str) -> str:
    # Ports and seconds are others each time.
    said = re.sub(r" in [\d.]+ s$", "", re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", said))
    return f"ok: {said}" if good else f"FAILED: {said}"


def commands_of(page: str) -> list[str]:
    """The commands of a page, in order; what they print is left out, a quoted script stays with its echo."""
    commands: list[str] = []
    fenced, quoted = False, ""
    for line in page.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif quoted or (fenced and line == "echo '"):
            quoted += f"{line}\n"
            if line.endswith(".py"):
                commands.append(quoted.strip())
                quoted = ""
        elif fenced and _COMMAND.match(line):
            commands.append(line.strip())
        elif found := _INLINE.match(line):
            commands.append(found[1])
    return commands


def _needless(why: str) -> Callable[[Walk, str], tuple[str, str]]:
    return lambda walk, command: ("", f"not needed: {why}")


def _elsewhere(why: str) -> Callable[[Walk, str], tuple[str, str]]:
    return lambda walk, command: ("", f"not run: {why}")


def _export(walk: Walk, command: str) -> tuple[str, str]:
    return walk.ours(command, ["export", *shlex.split(command)[2:]])


def _ovms(walk: Walk, command: str) -> tuple[str, str]:
    """OVMS's own command line, in a container or not; /models and /workspace are the folder models here."""
    words = shlex.split(re.sub(r"\$\(.*?\)+", "", command))
    start = next(
        i for i, word in enumerate(words) if word.startswith(("openvino/model_server", "ovms"))
    )
    arguments = [
        re.sub(r"^(/models|/workspace|\./models)\b", "models", word) for word in words[start + 1 :]
    ]
    if "--rest_port" in arguments:
        return _serve(walk, command, arguments)
    return walk.ours(command, arguments)


def _serve(walk: Walk, command: str, arguments: list[str]) -> tuple[str, str]:
    if "gpu" in command:
        return (
            "",
            "not run: there is no GPU here; the device is in the models' graphs (target_device)",
        )
    if walk.rest:
        return "", "ok: it serves already"
    arguments[arguments.index("--rest_port") + 1] = "0"
    process = subprocess.Popen(
        [*OURS, *arguments],
        cwd=walk.folder(command),
        env=walk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    walk.opened.callback(process.wait, 60)
    walk.opened.callback(process.terminate)
    assert process.stdout is not None
    walk.opened.callback(process.stdout.close)
    timer = threading.Timer(300, process.kill)
    timer.start()
    line = process.stdout.readline().strip()
    timer.cancel()
    found = re.search(r"REST (http://\S+?),", line)
    walk.rest = found[1] if found else ""
    return f"calcgraph {shlex.join(arguments)}", _result(bool(found), line[:120])


def _curl(walk: Walk, command: str) -> tuple[str, str]:
    words = [re.sub(r"http://localhost:\d+", walk.rest, word) for word in shlex.split(command)]
    good, said = walk.call([*words, "--silent", "--show-error", "--fail-with-body"], walk.place)
    shown = said if len(said) < 90 else f"{said[:87]}..."
    return shlex.join(words).replace(walk.rest, "http://localhost:8000"), _result(
        good, shown or "200"
    )


def _openai(walk: Walk, command: str) -> tuple[str, str]:
    script = command.partition("'")[2].rpartition("'")[0]
    (walk.place / "openai_client.py").write_text(script.replace("http://localhost:8000", walk.rest))
    return "the same", "ok"


def _openai_run(walk: Walk, command: str) -> tuple[str, str]:
    return "the same", _result(*walk.call([sys.executable, "openai_client.py"], walk.place))


def _bench(walk: Walk, command: str) -> tuple[str, str]:
    arguments = [
        re.sub(r"http://localhost:\d+", walk.rest, word) for word in shlex.split(command)[2:]
    ]
    if "Cohere/wikipedia-22-12-simple-embeddings" in arguments:
        texts = walk.place / "texts.txt"
        texts.write_text("\n".join(f"The cat sat on mat number {i}." for i in range(32)))
        arguments[arguments.index("--dataset") + 1] = str(texts)
    if "510" in arguments:  # the miniature reads 48 tokens
        arguments[arguments.index("510")] = "20"
    run, result = walk.ours(command, ["bench", *arguments, *_FEWER], "Success rate")
    return run.replace(walk.rest, "http://localhost:8000").replace(f"{walk.place}/", ""), result


def _compare(walk: Walk, command: str) -> tuple[str, str]:
    """The reference of the page is torch, which is not here: the vectors are stored, and compared with themselves."""
    arguments = [
        re.sub(r"http://localhost:\d+", walk.rest, word) for word in shlex.split(command)[2:]
    ]
    texts = arguments.index("--pooling")
    asked = ["compare", *arguments[:texts]]
    walk.ours(command, [*asked, *arguments[texts + 2 :], "--save_goldens", "goldens.npz"])
    run, result = walk.ours(command, [*asked, "--goldens", "goldens.npz"])
    return run.replace(walk.rest, "http://localhost:8000"), result


def _tree(walk: Walk, command: str) -> tuple[str, str]:
    folder = walk.folder(command) / "models"
    expected = ("config.json", "graph.pbtxt", "openvino_model.xml", "openvino_model.bin",
                "openvino_tokenizer.xml", "openvino_tokenizer.bin", "tokenizer.json")  # fmt: skip
    missing = [name for name in expected if not (folder / MODEL / name).is_file()]
    return "find models", _result(
        not missing, f"missing: {missing}" if missing else "all are there"
    )


_OWN = "calcgraph has its own, and needs no download"
_ACTS: Sequence[tuple[re.Pattern[str], Callable[[Walk, str], tuple[str, str]]]] = [
    (re.compile(pattern), act)
    for pattern, act in (
        (r"^mteb|^python ovms_mteb|pip.* mteb", _elsewhere("its data comes from a hub; examples/mteb does it on a file")),
        (r"^curl https|^git clone|^pushd|^popd|^cd ", _needless(_OWN)),
        (r"^pip3? install .*openai", _needless("the OpenAI client is in the environment of the tests")),
        (r"^pip3? install", _needless(_OWN)),
        (r"^mkdir", _needless("the folder is made when there is a model")),
        (r"^python export_model", _export),
        (r"^docker|^ovms", _ovms),
        (r"^tree", _tree),
        (r"^curl .*localhost", _curl),
        (r"^echo", _openai),
        (r"^python openai_client", _openai_run),
        (r"^python benchmark", _bench),
        (r"^python compare_results", _compare),
    )
]  # fmt: skip


def walk_pages(pages: Sequence[Path]) -> Iterator[Step]:
    """Every command of the pages, run."""
    for page in pages:
        text = page.read_text("utf-8")
        with (
            tempfile.TemporaryDirectory() as place,
            hub_stand_in.serving() as hub,
            ExitStack() as opened,
        ):
            for name in sorted(set(_NAMED.findall(text))):
                hub.publish(name, ENCODERS / "bert")
            environment = os.environ | {
                "HF_ENDPOINT": hub.url,
                "HF_HOME": f"{place}/hf_home",
                "HF_HUB_DISABLE_XET": "1",
                "no_proxy": "127.0.0.1",
            }
            yield from Walk(
                page.stem, Path(place), environment, opened, commands=commands_of(text)
            ).walk()


def table(steps: Sequence[Step]) -> str:
    lines = ["| command of the page | what ran | result |", "|---|---|---|"]
    for step in steps:
        cells = (step.command.split("\n")[0], step.run, step.result)
        shown = [cell.replace("|", "\\|") for cell in cells]
        lines.append(f"| `{shown[0]}` | {f'`{shown[1]}`' if shown[1] else ''} | {shown[2]} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    steps = []
    for step in walk_pages(args.pages):
        steps.append(step)
    for page in dict.fromkeys(step.page for step in steps):
        print(f"## {page}\n\n{table([step for step in steps if step.page == page])}\n")
    failed = [step for step in steps if step.failed]
    print(f"{len(steps)} commands, {len(failed)} failed")
    if args.write:
        body = "\n\n".join(
            f"## {page}\n\n{table([step for step in steps if step.page == page])}"
            for page in dict.fromkeys(step.page for step in steps)
        )
        head = args.write.read_text().partition("<!-- table -->")[0]
        args.write.write_text(f"{head}<!-- table -->\n\n{body}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
