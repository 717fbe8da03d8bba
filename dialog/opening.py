"""From the configuration to the parts of an agent; each imported and opened when first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property

from pydantic import JsonValue

from dialog import plugins
from dialog.actions import NO_ACTIONS, Actions
from dialog.config import Config
from dialog.draft import Parts
from dialog.errors import ConfigError, ModelError
from dialog.learning import Learning
from dialog.ledger import Ledger
from dialog.protocols import Embedder, LanguageModel, Retriever, Store
from dialog.settings import Settings
from dialog.skill import Skill
from dialog.values import Fingerprint

Progress = Callable[[str], None]


class Opening:
    """Parts given ready-made, and those the configuration names. Thread-safe."""

    def __init__(
        self,
        config: Config,
        *,
        model: LanguageModel | None,
        retriever: Retriever | None,
        store: Store | None,
        skills: Sequence[Skill] | None,
        actions: Actions = NO_ACTIONS,
        progress: Progress | None,
    ) -> None:
        self._config = config
        self._given_model = model
        self._given_retriever = retriever
        self._given_store = store
        self._given_skills = skills
        self._actions = actions
        self._progress = progress
        self._lock = threading.RLock()
        self._record_lock = threading.RLock()
        """Apart, so that the record can be read while the model is still loading."""

    @property
    def model(self) -> LanguageModel:
        """Raises ModelError."""
        with self._lock:
            return self._model

    @property
    def retriever(self) -> Retriever | None:
        """None where nothing was ever indexed. Raises KnowledgeError."""
        with self._lock:
            return self._retriever

    @property
    def store(self) -> Store:
        """Raises StoreError."""
        with self._record_lock:
            return self._store

    @property
    def ledger(self) -> Ledger:
        with self._record_lock:
            return self._ledger

    @property
    def learning(self) -> Learning:
        """Raises StoreError, ConfigError."""
        with self._record_lock:
            return self._learning

    @property
    def skills(self) -> Sequence[Skill]:
        """Raises ConfigError."""
        with self._record_lock:
            return self._skills

    @property
    def embedder(self) -> Embedder:
        """For skills; the knowledge base keeps its own. Raises ConfigError, KnowledgeError."""
        with self._lock:
            return self._embedder

    @property
    def settings(self) -> Settings:
        """The configuration's values."""
        return self._config.values

    @property
    def actions(self) -> Actions:
        """Those declared, by name."""
        return self._actions

    def options(self, skill: str) -> Mapping[str, JsonValue]:
        """What the configuration tells a skill."""
        return self._config.values.skills.options.get(skill, {})

    @property
    def parts(self) -> Parts:
        """All that a turn needs."""
        with self._lock:
            return self._parts

    @cached_property
    def _model(self) -> LanguageModel:
        if self._given_model is not None:
            return self._given_model
        section = self._config.values.model
        scheme, separator, _ = section.name.partition(":")
        if scheme == "openai":
            from dialog.engine.remote.open import open_remote

            return open_remote(section, progress=self._progress)
        engines = plugins.load("instructrec.engines", only=scheme) if separator else plugins.Loaded()
        for broken in engines.broken:
            raise ModelError(f"the engine of {section.name!r} cannot be loaded: {broken.error}")
        for engine in engines.found.values():
            return engine(section, progress=self._progress)  # type: ignore[operator, no-any-return]
        from dialog.engine.load import open_model

        return open_model(section, progress=self._progress)

    @cached_property
    def _retriever(self) -> Retriever | None:
        if self._given_retriever is not None or not self._config.knowledge_path.exists():
            return self._given_retriever
        from dialog.knowledge.base import open_knowledge

        return open_knowledge(
            self._config.knowledge_path, self._config.values.knowledge, model=lambda: self.model
        )

    @cached_property
    def _embedder(self) -> Embedder:
        from dialog.knowledge.embed import open_embedder

        return open_embedder(self._config.values.knowledge.embedder)

    @cached_property
    def _store(self) -> Store:
        if self._given_store is not None:
            return self._given_store
        from dialog.store import open_store

        return open_store(self._config.store_url)

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self._store)

    @cached_property
    def _learning(self) -> Learning:
        return Learning(self._config.values.instructions, self._store)

    @cached_property
    def _skills(self) -> Sequence[Skill]:
        """The enabled skills that could be loaded, by entry point."""
        if self._given_skills is not None:
            return self._given_skills
        settings = self._config.values.skills
        found = plugins.load("instructrec.skills").found
        skills: list[Skill] = []
        for name, make in found.items():
            if settings.enabled is not None and name not in settings.enabled:
                continue
            try:
                skills.append(make())  # type: ignore[operator]  # its shape is the plug-in's promise
            except Exception as error:  # whatever a stranger's constructor does
                self._tell(f"skill {name!r} is left out: {error}; see instructrec doctor")
        skills += self._written_skills({skill.spec.name for skill in skills})
        if settings.default not in {skill.spec.name for skill in skills}:
            names = ", ".join(skill.spec.name for skill in skills) or "none"
            raise ConfigError(
                f"skills.default = {settings.default!r} is not installed and enabled; there are: {names}"
            )
        return skills

    def _written_skills(self, taken: Collection[str]) -> Iterator[Skill]:
        """The enabled skills without code, of `skills.folders` and the data directory."""
        if not self._config.skill_folders:
            return
        from dialog.prompt_skill import prompt_skills
        from dialog.skill_folder import read_folders

        enabled = self._config.values.skills.enabled
        found = read_folders(self._config.skill_folders)
        for bad in found.bad:
            self._tell(f"skill folder {bad.path} is left out: {bad.problem}")
        for skill in prompt_skills(found.skills.values()):
            name = skill.spec.name
            if name in taken:
                self._tell(f"skill folder {name!r} is left out: a plug-in has the name; rename the folder")
            elif enabled is None or name in enabled:
                yield skill

    @cached_property
    def _parts(self) -> Parts:
        from dialog.prompt.render import FINGERPRINT

        model, retriever = self._model, self._retriever
        return Parts(
            settings=self._config.values,
            model=model,
            retriever=retriever,
            skills=self._skills,
            actions=self._actions,
            tools=self,
            fingerprint=Fingerprint(
                model=model.info.fingerprint,
                adapter=" + ".join(model.info.adapters) or None,
                template=model.info.template_fingerprint,
                prompt=FINGERPRINT,
                index=retriever.fingerprint if retriever else None,
                config=self._config.values.fingerprint,
            ),
        )

    def _tell(self, message: str) -> None:
        if self._progress is not None:
            self._progress(message)

    def close(self) -> None:
        """Close what was opened here; parts that were given stay open."""
        with self._lock, self._record_lock:
            for name, given in (
                ("_store", self._given_store),
                ("_retriever", self._given_retriever),
                ("_model", self._given_model),
            ):
                part = self.__dict__.pop(name, None)
                if part is not None and given is None and hasattr(part, "close"):
                    part.close()
            for name in ("_ledger", "_learning", "_parts"):
                self.__dict__.pop(name, None)
