"""``--last-skipped``: only the tests that the last run skipped, once what they wanted has been installed."""

import pytest

CACHE_KEY = "zeroten/last-skipped"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option to pytest's own."""
    parser.addoption("--last-skipped", action="store_true", help="run only what the last run skipped")


def pytest_configure(config: pytest.Config) -> None:
    """Choose by what was written down, or write it down: in the one process that every report comes to."""
    if config.getoption("last_skipped"):
        config.pluginmanager.register(_Chooser(_cache(config)))
    elif not hasattr(config, "workerinput") and config.pluginmanager.hasplugin("cacheprovider"):
        config.pluginmanager.register(_Recorder(_cache(config)))


def _cache(config: pytest.Config) -> pytest.Cache:
    assert config.cache is not None, "pytest has made it where it was not told to do without"
    return config.cache


class _Recorder:
    def __init__(self, cache: pytest.Cache) -> None:
        self._cache = cache
        self._skipped: set[str] = set()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skipped.add(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self._skipped.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self._cache.set(CACHE_KEY, sorted(self._skipped))


class _Chooser:
    def __init__(self, cache: pytest.Cache) -> None:
        self._skipped = frozenset(cache.get(CACHE_KEY, []))

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        config.hook.pytest_deselected(items=[item for item in items if not self._was_skipped(item)])
        items[:] = [item for item in items if self._was_skipped(item)]

    def _was_skipped(self, item: pytest.Item) -> bool:
        """It, or its whole file, which could not be collected."""
        return not self._skipped.isdisjoint((item.nodeid, item.nodeid.partition("::")[0]))
