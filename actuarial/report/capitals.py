"""An amount in the capital figures of Chinese finance (大写金额), which are hard to alter."""

from __future__ import annotations

from actuarial.texts import text


def capitals(cents: int) -> str:
    """An amount of yuan in Chinese capitals.

    Parameters
    ----------
    cents : int
        Not negative, below 10¹⁸.

    Examples
    --------
    >>> capitals(1_023_600_000), capitals(10_050), capitals(7)
    ('壹仟零贰拾叁万陆仟元整', '壹佰元零伍角整', '柒分')
    """
    digits, units, groups = (text(f"settle_words.{n}", "zh") for n in ("digits", "units", "groups"))
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    whole = _integer(yuan, digits, units, groups)
    yuan_word, jiao_word, fen_word, exact = list(text("settle_words.coins", "zh"))
    said = whole + yuan_word if whole else ""
    if whole and (jiao or fen) and (jiao == 0 or yuan % 10 == 0):
        said += digits[0]
    said += digits[jiao] + jiao_word if jiao else ""
    said += digits[fen] + fen_word if fen else ""
    if not said:
        return digits[0] + yuan_word + exact
    return said if fen else said + exact


def _integer(yuan: int, digits: str, units: str, groups: str) -> str:
    """The whole yuan: groups of four digits, one zero for any run of them."""
    said, gap = "", False
    for place in range(15, -1, -1):
        digit, in_group = yuan // 10**place % 10, place % 4
        if digit:
            said += (digits[0] if gap else "") + digits[digit] + units[in_group].strip()
            gap = False
        elif said:
            gap = True
        if in_group == 0 and place and yuan // 10**place % 10_000:
            said += groups[place // 4].strip()
    return said
