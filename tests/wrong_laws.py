"""Wrong benefit files, as a bureau officer might write them: each is the right file with one thing changed."""

from __future__ import annotations

RIGHT = """\
id: china/somewhere/resident/basic@2025-01-01
kind: benefit
name: {zh: 某县居民医保, en: Resident scheme of a county}
source: {document: 某县人民政府文件, clause: 第五条}
status: enacted
place_status: stated
effective: "2025-01-01"
checked_on: "2024-11-25"
gaps:
  referral:
    what: {zh: 未转诊是否降低比例, en: whether the ratio falls without referral}
    choices:
      falls: {zh: 降低, en: it falls}
      stays: {zh: 不降低, en: it stays}
  market:
    what: {zh: 市外比例, en: ratio outside}
    range: [0.4, 0.6]
readings:
  referral: {choice: falls, status: assumed, source: 去年的做法}
  market: {value: 0.5, status: assumed, source: 去年的做法}
payload:
  scheme: resident
  parameters:
    average_wage: 60000
  layers:
    - id: basic
      bearer: basic_fund
      rules:
        - when: {category: 住院}
          deductible: {by: level, 乡镇卫生院: 100, 县级医院: 300, otherwise: 500}
          ratio: {by: level, 乡镇卫生院: 0.85, 县级医院: 0.70, otherwise: {gap: market}}
      tilts:
        - when: {referral: no}
          if_reading: {referral: falls}
          ratio_points: -0.10
      ceilings:
        - {id: year, amount: {share_of: average_wage, share: 6}}
    - id: critical_illness
      bearer: cii_insurer
      counted: {of: own_in_scope}
      rules:
        - accumulate: year
          deductible: 15000
          segments:
            - {over: 0, ratio: 0.50}
            - {over: 50000, ratio: 0.60}
"""

WRONG: dict[str, tuple[str, str, str, str, str, str]] = {
    # what is wrong: old text, new text, text on the line that is named, code, a valid form in zh, in en
    "a ratio of 85": ("乡镇卫生院: 0.85", "乡镇卫生院: 85", "乡镇卫生院: 85", "law.ratio", "例如 0.85", "such as 0.85"),
    "a ratio in per cent": ("乡镇卫生院: 0.85", "乡镇卫生院: 85%", "乡镇卫生院: 85%", "law.ratio", "不要写 85 或 85%", "not 85 or 85%"),
    "an amount with its unit": ("deductible: 15000", "deductible: 1.5万元", "1.5万元", "law.amount", "例如 100", "such as 100"),
    "a word that nobody knows": ("{by: level, 乡镇卫生院: 0.85", "{by: level, 乡镇卫生园: 0.85", "乡镇卫生园: 0.85", "law.unknown_word", "相近的有：乡镇卫生院", "near: 乡镇卫生院"),
    "two ways to pay": ("          deductible: 15000\n", "          deductible: 15000\n          ratio: 0.5\n", "- accumulate: year", "law.one_way", "例如 ratio: 0.85", "such as ratio: 0.85"),
    "segments that do not increase": ("{over: 0, ratio: 0.50}", "{over: 60000, ratio: 0.50}", "- accumulate: year", "law.rule_segments", "over: 0", "over: 0"),
    "an unknown key": ("          deductible: 15000", "          deductable: 15000", "deductable", "plan.unknown_key", "相近的有：deductible", "near: deductible"),
    "a gap that is not described": ("{gap: market}", "{gap: markets}", "{gap: markets}", "law.unknown_gap", "例如 markets: {what:", "such as markets: {what:"),
    "a tilt that changes nothing": ("          ratio_points: -0.10\n", "", "- when: {referral: no}", "law.empty_tilt", "ratio_points: 0.10", "ratio_points: 0.10"),
    "another scheme than in the id": ("scheme: resident", "scheme: ncms", "id: china", "law.id_parts", "例如 scheme: resident", "basic@2025-01-01 for scheme: resident"),
    "a word twice": ("县级医院: 0.70, otherwise", "township: 0.70, otherwise", "township: 0.70", "law.same_word", "例如 {by: level,", "as in {by: level,"),
    "a share of nothing known": ("share_of: average_wage", "share_of: mean_wage", "share_of: mean_wage", "law.unknown_parameter", "parameters: {mean_wage: 60000}", "parameters: {mean_wage: 60000}"),
    "no effective date": ('effective: "2025-01-01"\n', "", "id: china", "law.missing_key", '例如 effective: "2025-01-01"', 'such as effective: "2025-01-01"'),
    "a condition that does not exist": ("when: {category: 住院}", "when: {类别: 住院}", "类别: 住院", "law.when", "category: 住院", "category: inpatient"),
    "a reading beyond its range": ("market: {value: 0.5,", "market: {value: 0.9,", "market: {value: 0.9", "law.bad_reading", "market (0.4–0.6)", "market (0.4–0.6)"),
    "rules under as_paid": ("      bearer: cii_insurer\n", "      bearer: cii_insurer\n      pays: as_paid\n", "- id: critical_illness", "law.rules_needed", "pays: rules", "pays: rules"),
    "a layer twice": ("- id: critical_illness", "- id: basic", "payload:", "law.twice", "改名", "rename"),
    "a reading that no tilt knows": ("if_reading: {referral: falls}", "if_reading: {referral: fell}", "referral: fell", "law.tilt_choice", "falls、stays", "falls、stays"),
    "a period that does not exist": ("accumulate: year", "accumulate: month", "accumulate: month", "law.accumulate", "claim（按次）或 year", "claim or year, or {gap: name}"),
    "a day that does not exist": ("2025-01-01\"\nchecked_on: \"2024-11-25", "2025-01-01\"\nchecked_on: \"2024-11-31", "checked_on", "law.no_such_date", "例如 \"2025-01-01\"", "such as \"2025-01-01\""),
    "a range the wrong way round": ("range: [0.4, 0.6]", "range: [0.6, 0.4]", "range: [0.6, 0.4]", "law.gap_range", "例如 [0.5, 0.75]", "such as [0.5, 0.75]"),
    "a key twice": ("          deductible: 15000\n", "          deductible: 15000\n          deductible: 1\n", "deductible: 1\n", "file.yaml_twice", "deductible", "deductible"),
}  # fmt: skip
