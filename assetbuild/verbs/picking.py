"""Which picture is meant by the word after `use ID`, and what made it. Looks at disk, store, lock lines, former lines and
git; writes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..digest import sealed
from ..errors import AssetbuildError, UsageError
from ..facts import Planner, StepPlan
from ..files import sha256_file
from ..forms import Form, differences, form
from ..lockfile import Line, former
from ..project import Project
from ..store import Store, Take, select_takes

_LETTERS = re.compile(r"[0-9a-f]{4,64}")


class Chosen(NamedTuple):
    """One picture: its digest, size in bytes, and the file that has it (None: the store has it)."""

    digest: str
    size: int
    file: Path | None = None


class Pick(NamedTuple):
    """The pictures that were meant, one per output, and what made them. `key` None: a person did. `word` says what it is, for
    the message.
    """

    pictures: tuple[Chosen, ...]
    word: str
    key: str | None = None
    key_version: int = 1
    take: int = 1
    manifest: dict[str, Any] | None = None  # sealed; None when nobody knows it any more
    by_hand: bool = True
    host: str | None = None


class Picker:
    """Answers for many assets; use with `with`, since another profile may have to be opened."""

    def __init__(self, project: Project, planner: Planner, from_profile: str | None = None) -> None:
        self.project, self.planner = project, planner
        self.other: Project | None = None
        self._former: dict[str, list[Line]] | None = None
        if from_profile is not None:
            if from_profile not in project.spec.profiles:
                known = ", ".join(f"`{p}`" for p in project.spec.profiles) or "none"
                raise UsageError(f"there is no profile `{from_profile}`", hint=f"the spec has {known}")
            self.other = Project(project.env, project.root / project.spec_name, from_profile)

    def __enter__(self) -> Picker:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the other profile."""
        if self.other is not None:
            self.other.close()

    def pick(self, plan: StepPlan, which: str | None, member: str = "") -> Pick:
        """The pictures that `which` means for this asset. Raises UsageError."""
        name = plan.asset.id
        if self.other is not None:
            return self._of_profile(plan, self.other)
        if which is None:
            return self._here(plan)
        if which == "previous":
            return self._previous(plan)
        if which.isdecimal() and len(which) <= 3:  # noqa: PLR2004 - four and more may be a digest's first letters
            return self._take(plan, int(which))
        path = file_of(self.project, which)
        if path is not None:
            return self._of_file(plan, path, which, member)
        if _LETTERS.fullmatch(which.lower()):
            return self._by_letters(plan, which.lower())
        looks = "/" in which or "." in which
        raise UsageError(
            f"there is no file {which}" if looks else f"`{which}` is no take, no digest and no file",
            hint=f"`assetbuild use {name} 2` means its take 2, `3f9a` a digest's first letters, `previous` the one before, "
            "`retouched.png` a file",
        )

    # ── what lies there, files ──

    def _here(self, plan: StepPlan) -> Pick:
        found = []
        for path in plan.asset.outputs:
            look = self.project.digests.look(path)
            if look is None:
                raise UsageError(
                    f"nothing lies at {path}, where the picture of `{plan.asset.id}` belongs",
                    hint=f"put a picture there, or name one: `assetbuild use {plan.asset.id} FILE`",
                )
            if look.pointer:
                raise UsageError(f"{path} is a Git LFS pointer here, not a picture", hint="`git lfs pull` fetches it")
            found.append(Chosen(look.digest, look.size, self.project.root / path))
        words = plan.asset.outputs[0] if len(found) == 1 else f"the {len(found)} files that lie there"
        return self._known(plan, tuple(found)) or self._by_hand(plan, tuple(found), words)

    def _of_file(self, plan: StepPlan, path: Path, which: str, member: str) -> Pick:
        members = plan.step.members
        digest, size = sha256_file(path)
        one = Chosen(digest, size, path)
        if not members:
            return self._known(plan, (one,)) or self._by_hand(plan, (one,), which)
        if not member:
            raise UsageError(
                f"`{plan.asset.id}` has {len(members)} pictures, {which} is one",
                hint=f"say which it is: `assetbuild use '{plan.asset.id.rstrip('#')}#{members[0]}' {which}`",
            )
        place = members.index(member)
        pictures = [one if number == place else self._sibling(plan, number, member) for number in range(len(members))]
        return self._known(plan, tuple(pictures)) or self._by_hand(plan, tuple(pictures), which)

    def _sibling(self, plan: StepPlan, number: int, member: str) -> Chosen:
        """The picture of another member than the one that is chosen: ours, as it lies there or in the store. The lock line is about all members, so
        one that a person edited would be accepted with it, unasked. Raises UsageError.
        """
        output, name = plan.facts.outputs[number], plan.asset.id
        other = plan.step.members[number]
        if output.found is None and output.locked is not None and self.planner.known.at_hand(output.locked):
            return self._bytes((output.locked,))[0]
        if output.found is None:
            raise UsageError(
                f"nothing lies at {output.path}, where the picture of `{name.rstrip('#')}#{other}` belongs",
                hint=f"`assetbuild build {name}` makes it, or put a picture there",
            )
        if output.found != output.locked and not self.planner.ours(plan, number):
            why = "was there before and isn't ours" if output.locked is None else "was edited by hand"
            raise UsageError(
                f"{output.path} {why}, and only `{name.rstrip('#')}#{member}` was to be chosen",
                hint=f"choose it as well, as it lies there: first `assetbuild use {name}`, then this again; or "
                f"`assetbuild build --replace {name}` puts ours there (yours is kept in the store)",
            )
        look = self.project.digests.look(output.path)
        if look is None or look.pointer or look.digest != output.found:
            raise UsageError(f"{output.path} is a Git LFS pointer here, not a picture", hint="`git lfs pull` fetches it")
        return Chosen(output.found, look.size, self.project.root / output.path)

    def _by_hand(self, plan: StepPlan, pictures: tuple[Chosen, ...], word: str) -> Pick:
        for one in pictures:
            if one.file is not None and form(one.file) is None:
                raise UsageError(
                    f"{_short(self.project, one.file)} isn't a picture that can be opened, so it can't be `{plan.asset.id}`'s"
                )
        return Pick(pictures, word)

    # ── takes ──

    def _takes(self, plan: StepPlan) -> list[tuple[int, tuple[str, ...], bool]]:
        key = plan.action.key if plan.action is not None else (plan.facts.locked.key if plan.facts.locked is not None else None)
        return sorted((t.take, t.digests, t.at_hand) for t in self.planner.known.takes(plan.step, key))

    def _take(self, plan: StepPlan, number: int) -> Pick:
        takes = self._takes(plan)
        for take, digests, at_hand in takes:
            if take == number:
                if not at_hand:
                    raise UsageError(f"take {number} of `{plan.asset.id}` is known, but its picture isn't here any more")
                if len(digests) < len(plan.asset.outputs):
                    raise self._gap(plan, number, digests)
                known = self._known(plan, self._bytes(digests))
                if known is not None:
                    return known._replace(word=f"take {number}")
        there = ", ".join(str(take) for take, _, _ in takes)
        raise UsageError(
            f"`{plan.asset.id}` has no take {number} of its present text" + (f"; it has {there}" if there else ""),
            hint=f"`assetbuild show {plan.asset.id}` lists every picture it had, with the first letters of its digest",
        )

    def _gap(self, plan: StepPlan, number: int, digests: tuple[str, ...]) -> UsageError:
        """A set that came without all of its pictures: which of them is whose isn't known for certain, so a person puts them in place."""
        name, store = plan.asset.id, self.project.store_path / "cas"
        shown = ", ".join(_short(self.project, store / digest[:2] / digest[2:]) for digest in digests)
        return UsageError(
            f"take {number} of `{name}` has {len(digests)} of {len(plan.asset.outputs)} pictures, so it can't be chosen as it is",
            hint=f"what came is in {shown}: copy each to where it belongs, with a picture of your own for what is missing, then "
            f"`assetbuild use {name}`; or `assetbuild build --rebuy {name}` pays again",
        )

    def _by_letters(self, plan: StepPlan, letters: str) -> Pick:
        found: dict[tuple[str, ...], Pick] = {}
        count = len(plan.asset.outputs)
        for digests in self._with_letters(plan, letters):
            if len(digests) == count and self._all_here(digests):
                pick = self._known(plan, self._bytes(digests)) or Pick(self._bytes(digests), f"`{letters}` of the store")
                found.setdefault(digests, pick)
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise UsageError(
                f"`{letters}` is the beginning of {len(found)} pictures",
                hint="write more letters: " + ", ".join(d[0][: len(letters) + 4] for d in found),
            )
        raise UsageError(
            f"no picture here begins with `{letters}`",
            hint=f"`assetbuild show {plan.asset.id}` lists every picture it had, with the first letters of its digest",
        )

    def _with_letters(self, plan: StepPlan, letters: str) -> Iterator[tuple[str, ...]]:
        for _, digests, _ in self._takes(plan):
            if any(d.startswith(letters) for d in digests):
                yield digests
        for line in self._lines(plan.asset.id):
            if any(o.digest.startswith(letters) for o in line.outputs):
                yield tuple(o.digest for o in line.outputs)
        store = self.project.look_store()
        if store is None:
            return
        with store.reading() as db:
            takes = select_takes(db, "(key, take) IN (SELECT key, take FROM result_blobs WHERE digest GLOB ?)", [letters + "*"])
        yield from (tuple(b.digest for b in take.blobs) for take in takes)
        named = {b.digest for take in takes for b in take.blobs}
        folder = store.cas.root / letters[:2]  # a file that was replaced is a blob without a result
        for file in folder.glob(letters[2:] + "*") if folder.is_dir() else ():
            digest = folder.name + file.name
            if digest not in named and form(file) is not None:
                yield (digest,)

    # ── before, elsewhere ──

    def _previous(self, plan: StepPlan) -> Pick:
        name = plan.asset.id
        line = self.planner.lock.lines.get(name)
        here = tuple(o.found for o in plan.facts.outputs)
        now = {here}
        for one in self._before(plan, line):
            digests = tuple(o.digest for o in one.outputs)
            if one is line and (None in here or digests == here):  # it lies there, or nothing does: then it isn't the one before
                now.add(digests)
                continue
            if digests in now or len(digests) != len(plan.asset.outputs) or not self._all_here(digests):
                continue
            return _of_line(one, self._bytes(digests), "the picture before")
        for _, digests, at_hand in reversed(self._takes(plan)):
            if digests not in now and at_hand and (known := self._known(plan, self._bytes(digests))) is not None:
                return known
        raise UsageError(
            f"no earlier picture of `{name}` is known here",
            hint=f"`assetbuild show {name}` lists what is; `git log -- {plan.asset.outputs[0]}` may know more",
        )

    def _before(self, plan: StepPlan, line: Line | None) -> Iterator[Line]:
        if line is not None:
            yield line
        yield from self._had(plan.asset.id)
        if self.project.git is not None:
            lock = self.project.root / self.project.spec.lock
            yield from former.committed(self.project.git[0], lock, plan.asset.id)

    def _of_profile(self, plan: StepPlan, other: Project) -> Pick:
        name = plan.asset.id
        line = other.lock.lines.get(name)
        if line is None:
            raise UsageError(
                f"`{name}` has no picture under the profile `{other.profile}`",
                hint=f"`assetbuild build {name} --profile {other.profile}` makes one",
            )
        pictures = []
        for output in line.outputs:
            look = other.digests.look(output.path)
            if look is not None and look.digest == output.digest and not look.pointer:
                pictures.append(Chosen(output.digest, output.size, other.root / output.path))
            elif self._in_store(output.digest):
                pictures.append(Chosen(output.digest, output.size))
            else:
                raise UsageError(
                    f"the picture of `{name}` under the profile `{other.profile}` isn't here",
                    hint=f"`assetbuild build {name} --profile {other.profile}` first",
                )
        if len(pictures) != len(plan.asset.outputs):
            raise UsageError(f"`{name}` has {len(pictures)} pictures under `{other.profile}` and {len(plan.asset.outputs)} here")
        return _of_line(line, tuple(pictures), f"the one of profile `{other.profile}`")

    # ── what made these bytes ──

    def _known(self, plan: StepPlan, pictures: tuple[Chosen, ...]) -> Pick | None:
        """What is known of these bytes: a take of the present key first, then lock lines, former lines and any result of the
        store.
        """
        digests = tuple(one.digest for one in pictures)
        line = self.planner.lock.lines.get(plan.asset.id)
        store = self.project.look_store()
        known = store.by_digest(digests[0]) if store is not None else []
        results = [take for take in known if tuple(b.digest for b in take.blobs) == digests]
        ours = any(not take.by_hand for take in results)  # whatever a line says that was written while the store was away
        if plan.action is not None:
            for take, theirs, _ in self._takes(plan):
                if theirs == digests and (
                    ours or line is None or not line.by_hand or tuple(o.digest for o in line.outputs) != digests
                ):
                    return Pick(pictures, f"take {take}", plan.action.key, 1, take, sealed(plan.action.manifest), False)
        for one in self._lines(plan.asset.id):
            if tuple(o.digest for o in one.outputs) == digests and not (one.by_hand and ours):
                return _of_line(one, pictures, _line_word(one, plan.asset.id))
        if len(digests) == 1:
            for one in self.planner.lock.lines.values():
                if one.id != plan.asset.id and digests == tuple(o.digest for o in one.outputs) and not (one.by_hand and ours):
                    return _of_line(one, pictures, f"the picture of `{one.id}`")
        found = min(results, key=lambda take: take.by_hand, default=None)
        if found is None:
            return None
        manifest = self._manifest(found.key)
        return Pick(pictures, _take_word(found), found.key, found.key_version, found.take, manifest, found.by_hand, found.host)

    def _lines(self, name: str) -> Iterator[Line]:
        line = self.planner.lock.lines.get(name)
        if line is not None:
            yield line
        yield from self._had(name)

    def _had(self, name: str) -> list[Line]:
        """The former lines of an asset, newest first."""
        if self._former is None:
            self._former = {}
            for one in reversed(former.everything(self.project.root, self.project.spec.lock)):
                self._former.setdefault(one.line.id, []).append(one.line)
        return self._former.get(name, [])

    def _manifest(self, key: str) -> dict[str, Any] | None:
        found = manifest_of(self.project, key)
        return None if found is None else sealed(found)

    def _bytes(self, digests: Sequence[str]) -> tuple[Chosen, ...]:
        found = []
        for digest in digests:
            if self._in_store(digest):
                store = self.project.look_store()
                found.append(Chosen(digest, (store.cas.size(digest) or 0) if store is not None else 0))
                continue
            path = self.planner.known.file_with(digest)
            assert path is not None  # noqa: S101 - asked only for what is at hand
            file = self.project.root / path
            found.append(Chosen(digest, file.stat().st_size, file))
        return tuple(found)

    def _in_store(self, digest: str) -> bool:
        store = self.project.look_store()
        return store is not None and store.cas.has(digest)

    def _all_here(self, digests: Iterable[str]) -> bool:
        return all(self.planner.known.at_hand(digest) for digest in digests)

    # ── differences ──

    def differences(self, plan: StepPlan, pick: Pick) -> tuple[str, ...]:
        """In what the chosen pictures differ from what the spec asks for and from the ones that were there."""
        notes: list[str] = []
        for path, one, output in zip(plan.asset.outputs, pick.pictures, plan.facts.outputs, strict=True):
            if output.locked == one.digest and output.found == one.digest:
                continue
            had = output.locked or output.found
            old = self._form(self._old(had, path)) if had is not None and had != one.digest else None
            notes += differences(path, self._form(one), old)
        return tuple(notes)

    def _old(self, digest: str, path: str) -> Chosen:
        return Chosen(digest, 0) if self._in_store(digest) else Chosen(digest, 0, self.project.root / path)

    def _form(self, one: Chosen) -> Form | None:
        if one.file is not None:
            return form(one.file)
        store = self.project.look_store()
        return form(store.cas.path(one.digest)) if store is not None else None


def file_of(project: Project, word: str) -> Path | None:
    """The file that a word of the command line means: seen from the working directory, then from the spec's folder."""
    for folder in (project.env.cwd, project.root):
        path = folder / Path(word).expanduser()
        if path.is_file():
            return path
    return None


def results_of(store: Store, digests: Sequence[str]) -> list[Take]:
    """The results that are exactly these pictures, oldest first; a set's members may have been reordered since."""
    if not digests:
        return []
    return [take for take in store.by_digest(digests[0]) if sorted(b.digest for b in take.blobs) == sorted(digests)]


def manifest_of(project: Project, key: str) -> dict[str, Any] | None:
    """The full manifest of a key, as the store has it; None when it hasn't."""
    store = project.look_store()
    if store is None or not store.cas.has(key):
        return None
    try:
        found = json.loads(store.cas.read(key))
    except (ValueError, AssetbuildError):
        return None
    return found if isinstance(found, dict) else None


def _of_line(line: Line, pictures: tuple[Chosen, ...], word: str) -> Pick:
    return Pick(pictures, word, line.key, line.key_version, line.take, dict(line.manifest), line.by_hand, line.host)


def _line_word(line: Line, name: str) -> str:
    return "the file made by hand" if line.by_hand else f"its picture {line.outputs[0].digest[:8]}"


def _take_word(take: Take) -> str:
    return "a file made by hand" if take.by_hand else f"take {take.take} of another text"


def _short(project: Project, path: Path) -> str:
    try:
        return path.relative_to(project.root).as_posix()
    except ValueError:
        return str(path)
