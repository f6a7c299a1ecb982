"""``--last-skipped``: only the tests that the last run skipped, once what they wanted has been installed."""

import pytest

CACHE_KEY = "zeroten/last-skipped"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option to pytest's own."""
    parser.addoption("--last-skipped", action="store_true", help="run only what the last run skipped")


def pytest_configure(config: pytest.Config) -> None:
    """Choose by what was written down, or write it down: in the one process that every report comes to."""
    if config.getoption("last_skipped"):
        config.pluginmanager.register(_Chooser(config))
    elif not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(config))


class _Recorder:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._skipped: set[str] = set()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skipped.add(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self._skipped.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        if self._config.cache is not None:
            self._config.cache.set(CACHE_KEY, sorted(self._skipped))


class _Chooser:
    def __init__(self, config: pytest.Config) -> None:
        assert config.cache is not None, "--last-skipped needs pytest's cache"
        self._skipped = frozenset(config.cache.get(CACHE_KEY, []))

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        config.hook.pytest_deselected(items=[item for item in items if not self._was_skipped(item)])
        items[:] = [item for item in items if self._was_skipped(item)]

    def _was_skipped(self, item: pytest.Item) -> bool:
        """It, or its whole file, which could not be collected."""
        return not self._skipped.isdisjoint((item.nodeid, item.nodeid.partition("::")[0]))
