"""The what-if page: ``session`` computes, ``view`` and ``pictures`` show, ``page`` answers, ``serve`` guards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actuarial.app.page import WhatIf
    from actuarial.plan import Plan


def what_if(plan: Plan, **options: Any) -> WhatIf:
    """The what-if page of a plan as a component for JupyterLab; see :func:`actuarial.app.page.what_if`.

    Parameters
    ----------
    plan : Plan
    **options
        ``lang``, ``paths``, ``seed``.
    """
    from actuarial.app.page import what_if as make

    return make(plan, **options)
