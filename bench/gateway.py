"""What the gateway costs beside the model server alone, and whether anyone notices a promote or a rollback under load.

Run: python -m bench.gateway [HOME]. HOME is one where `brewslm quickstart` has run (its copy is used); without one, it is run
here first, which takes some five minutes; the rest takes fifteen.

The rounds of a pair are interleaved, and each begins with the other one. The load comes from this process, over aiohttp, and is
the same for both. Tokens are forced (`ignore_eos`), so that each run writes as many. On a machine that does other work the shares
say what that did; a token's CPU time in a gateway by itself says what the gateway does.
"""

import asyncio
import itertools
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import psutil

from bench.report import write

ROUNDS = 9
STREAMS = {8: 128, 32: 64}
"""Concurrent streams → tokens of each."""
REQUESTS, WORKERS, SHORT = 2_000, 16, 8
SWITCHES = 4
"""Promotes and rollbacks that must have happened while the requests ran."""
MOST_SWITCHES = 20
"""Spread over the requests: each starts a model server, which takes the CPU from those that answer."""
LONGEST_SECONDS = 900.0
"""Of the requests under switches."""
LOOKS = 500
IDLE_SECONDS = 2.0
"""A connection is given up sooner than llama.cpp's server does it (5 s): it must not close the one on which we are asking."""
PROMPT = "Tell me, as number {number}, about a film that you liked, and why."
GOAL: dict[str, dict[str, float]] = {
    "streams-8.share_of_raw.median": {"at_least": 0.95},
    "streams-32.share_of_raw.median": {"at_least": 0.95},
    "switching.failed": {"at_most": 0},
    "switching.requests": {"at_least": REQUESTS},
    "switching.switches": {"at_least": SWITCHES},
}


def main() -> None:
    """Measure, and keep the result."""
    with tempfile.TemporaryDirectory(prefix="brewslm-bench-") as folder:
        home = Path(folder) / "home"
        if sys.argv[1:]:
            shutil.copytree(sys.argv[1], home)
        else:
            brewslm(home, "quickstart", "--sample", "movie-reviews", "--json")
        with serving(home) as url:
            measured, peers = asyncio.run(measure(home, url))
    write("gateway", measured, peers, GOAL, ("xllamacpp", "aiohttp", "uvicorn", "fastapi"))


async def measure(
    home: Path,
    url: str,
    streams: dict[int, int] = STREAMS,
    rounds: int = ROUNDS,
    requests: int = REQUESTS,
    switches: int = SWITCHES,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everything, on a server of this home: (measured, the model server alone)."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(600)) as client:
        slot, live = await until_live(client, url)
        through, raw = f"{url}/serve/{slot['project']}/{slot['slot']}/v1", live
        measured: dict[str, Any] = {}
        peers: dict[str, Any] = {}
        for count, tokens in streams.items():
            for address in (raw, through):
                await load(client, address, count, tokens // 4)  # warm
            runs: dict[str, list[float]] = {raw: [], through: []}
            for number in range(rounds):
                for address in (raw, through) if number % 2 else (through, raw):
                    runs[address].append(await load(client, address, count, tokens))
            shares = [ours / alone for ours, alone in zip(runs[through], runs[raw], strict=True)]
            name = f"streams-{count}"
            measured[name] = {
                "tokens_per_second": spread(runs[through]), "share_of_raw": spread(shares) | interval(shares),
                "tokens_each": tokens,
            }  # fmt: skip
            peers[name] = {"model_server_tokens_per_second": spread(runs[raw])}
        measured["cpu_microseconds_per_token"] = await cpu_of_a_token(client, home, slot, max(streams), streams[max(streams)])
        looks = {address: [await look(client, address) for _ in range(LOOKS)] for address in (raw, through)}
        measured["request_milliseconds"], peers["request_milliseconds"] = (spread(looks[address]) for address in (through, raw))
        measured["slot_read_microseconds"] = slot_read(home, slot["project"], slot["slot"])
        measured["switching"] = await under_switches(client, home, through, slot, requests, switches)
    return measured, peers


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": round(statistics.median(values), 4), "least": round(min(values), 4), "most": round(max(values), 4)}


def interval(values: list[float]) -> dict[str, float]:
    """The mean with its 95 % interval, by Student's t."""
    from scipy import stats

    low, high = stats.t.interval(0.95, len(values) - 1, statistics.mean(values), stats.sem(values))
    return {"mean": round(statistics.mean(values), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


async def until_live(client: aiohttp.ClientSession, url: str) -> tuple[dict[str, Any], str]:
    """The promoted version, and its own model server's address, once that is up."""
    for _ in range(1_200):
        async with client.get(f"{url}/api/projects/1/deployments") as answer:
            for version in await answer.json():
                if version["state"] == "promoted" and version["base_url"]:
                    return version, version["base_url"]
        await asyncio.sleep(0.1)
    raise TimeoutError("no promoted version's model server came up")


def asked(number: int, tokens: int, stream: bool = True) -> dict[str, Any]:
    """A request that writes just so many tokens."""
    messages = [{"role": "user", "content": PROMPT.format(number=number)}]
    return {
        "model": "default", "messages": messages, "stream": stream, "temperature": 0, "max_tokens": tokens, "ignore_eos": True,
        "cache_prompt": False,
    }  # fmt: skip


async def load(client: aiohttp.ClientSession, address: str, count: int, tokens: int) -> float:
    """So many streams at once, each of so many tokens; gives tokens a second of all.

    Raises:
        RuntimeError: A stream was not whole.
    """
    began = time.monotonic()
    done = await asyncio.gather(*(streamed(client, address, asked(number, tokens)) for number in range(count)))
    taken = time.monotonic() - began
    if not all(done):
        raise RuntimeError(f"{done.count(False)} of {count} streams of {address} were not whole")
    return count * tokens / taken


async def streamed(client: aiohttp.ClientSession, address: str, body: dict[str, Any]) -> bool:
    """Read one stream to its end: whether all its tokens were written, by the server's own count, and its end mark came.

    Events are no count: a character of several tokens is one event.
    """
    end = b""
    counted = body | {"stream_options": {"include_usage": True}}
    # On a connection of its own: the server closes one that an earlier round left idle, maybe just when it is asked on.
    async with client.post(f"{address}/chat/completions", json=counted, headers={"Connection": "close"}) as answer:
        async for part in answer.content.iter_any():
            end = (end + part)[-4096:]
    written = re.search(rb'"completion_tokens":\s*(\d+)', end)
    whole = written is not None and int(written[1]) == body["max_tokens"]
    return answer.status == 200 and whole and b"data: [DONE]" in end


async def cpu_of_a_token(client: aiohttp.ClientSession, home: Path, slot: dict[str, Any], count: int, tokens: int) -> float:
    """Of a gateway in a process of its own, which does nothing else: start, requests and all, over the tokens."""
    with started(home, "gateway") as (url, process):
        address = f"{url}/serve/{slot['project']}/{slot['slot']}/v1"
        await load(client, address, count, 2)  # warm
        before = cpu_seconds(process.pid)
        await load(client, address, count, tokens)
        return round(1e6 * (cpu_seconds(process.pid) - before) / (count * tokens), 1)


def cpu_seconds(pid: int) -> float:
    """Of all its threads."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def look(client: aiohttp.ClientSession, address: str) -> float:
    """Milliseconds of the smallest request."""
    began = time.monotonic()
    async with client.get(f"{address}/models") as answer:
        await answer.read()
    return 1000 * (time.monotonic() - began)


def slot_read(home: Path, project: int, slot: str) -> dict[str, float]:
    """Microseconds of what the gateway reads for each request, in a process of its own."""
    code = f"""
import json, time
from brewslm.serving.answering import look
look({project}, {slot!r})
took = []
for _ in range({LOOKS}):
    began = time.perf_counter()
    look({project}, {slot!r})
    took.append(1e6 * (time.perf_counter() - began))
print(json.dumps(took))
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(home), check=True, stdout=subprocess.PIPE)
    return spread(json.loads(done.stdout))


@dataclass
class Seen:
    """Answers under switches.

    Attributes:
        models: Which version answered how often.
        failures: What went wrong, by kind.
    """

    models: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


async def under_switches(
    client: aiohttp.ClientSession, home: Path, address: str, slot: dict[str, Any], requests: int, switches: int
) -> dict[str, Any]:
    """Short requests, half of them streamed, without a pause, while versions are promoted and rolled back.

    Gives what was counted; `problem` where a promote or a rollback failed, which ends it: what was measured before is kept.
    """
    seen, numbers = Seen(), itertools.count()
    switched: list[float] = []
    until = time.monotonic() + LONGEST_SECONDS

    switching = asyncio.create_task(switch(home, slot, switched, seen, requests // MOST_SWITCHES))

    async def work() -> None:
        while (sum(seen.models.values()) < requests or len(switched) < switches) and time.monotonic() < until:
            if switching.done():
                return
            await one_request(client, address, next(numbers), seen)

    began = time.monotonic()
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    taken = time.monotonic() - began
    problem = str(switching.exception()) if switching.done() else ""
    switching.cancel()
    return {
        "problem": problem,
        "requests": sum(seen.models.values()) + sum(seen.failures.values()), "failed": sum(seen.failures.values()),
        "failures": dict(seen.failures), "switches": len(switched), "seconds": round(taken, 1),
        "switch_seconds": spread(switched) if switched else {}, "latency_seconds": spread(seen.seconds) if seen.seconds else {},
        "versions": len(seen.models),
    }  # fmt: skip


async def one_request(client: aiohttp.ClientSession, address: str, number: int, seen: Seen) -> None:
    """One request, which is not repeated whatever comes."""
    body, began = asked(number, SHORT, stream=number % 2 == 0), time.monotonic()
    try:
        async with client.post(f"{address}/chat/completions", json=body) as answer:
            text = await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        seen.failures[type(error).__name__] += 1
        return
    whole = b"data: [DONE]" in text if body["stream"] else b'"choices"' in text
    if answer.status != 200 or not whole or b'"error"' in text:
        seen.failures[f"http {answer.status}" if answer.status != 200 else "cut off"] += 1
        return
    seen.models[answer.headers["x-brewslm-model"]] += 1
    seen.seconds.append(time.monotonic() - began)


async def switch(home: Path, slot: dict[str, Any], switched: list[float], seen: Seen, every: int) -> None:
    """A new version of the same export is promoted and rolled back, again and again, with so many answers between."""
    while True:
        made = await brewslm_beside(home, "deploy", "create", "--export", slot["export"], "--variant", slot["variant"], "--json")
        for verb in ("promote", "rollback"):
            while sum(seen.models.values()) < every * len(switched):
                await asyncio.sleep(0.1)
            began = time.monotonic()
            await brewslm_beside(home, "deploy", verb, str(made["result"]["deployment"]), "--json")
            switched.append(time.monotonic() - began)


async def brewslm_beside(home: Path, *arguments: str) -> Any:
    """A command's JSON, while the load goes on."""
    return await asyncio.to_thread(brewslm, home, *arguments)


def brewslm(home: Path, *arguments: str) -> Any:
    """A command's JSON.

    Raises:
        RuntimeError: It failed.
    """
    command = [sys.executable, "-m", "brewslm.cli.main", *arguments]
    done = subprocess.run(command, env=environment(home), stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise RuntimeError(f"brewslm {' '.join(arguments)}: {done.stdout.decode()}")
    return json.loads(done.stdout)


def environment(home: Path) -> dict[str, str]:
    """Of every process of ours."""
    return os.environ | {"BREWSLM_HOME": str(home)}


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """`brewslm serve` of this home; its address."""
    with started(home, "serve") as (url, _):
        yield url


@contextmanager
def started(home: Path, command: str) -> "Iterator[tuple[str, subprocess.Popen[bytes]]]":
    """`brewslm serve`, or `brewslm gateway` beside it: its address, once it answers, and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "brewslm.cli.main", command, "--port", str(port)], env=environment(home))
    try:
        yield answering(f"http://127.0.0.1:{port}", process), process
    finally:
        process.terminate()
        process.wait(30)


def answering(url: str, server: "subprocess.Popen[bytes]", seconds: float = 120.0) -> str:
    """The address, once it answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            httpx2.get(f"{url}/api/health", timeout=5).raise_for_status()
            return url
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise RuntimeError("the server did not come up")


if __name__ == "__main__":
    main()
