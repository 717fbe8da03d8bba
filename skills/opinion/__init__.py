"""Public opinion: what is written about companies, how it is meant, and when it is more than usual."""

from skills.opinion.monitor import Alarm, Monitor, Watch
from skills.opinion.reading import News
from skills.opinion.skill import Opinion, Watched

__all__ = ["Alarm", "Monitor", "News", "Opinion", "Watch", "Watched"]
