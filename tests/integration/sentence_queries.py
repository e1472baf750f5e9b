"""A query for every sentence of report.html on the sample.

Its one row has the figures and chosen words of the sentence, in the order they appear. It returns no row when the
newest row is in another state than the sentence.
"""

from __future__ import annotations

import re

import duckdb

NOW = "(SELECT max(as_of_date) FROM regime)"
# number with a true minus, signed number, date, month
MACROS = """
CREATE TEMP MACRO num(v, d) AS replace(format('{:,.' || d || 'f}', v), '-', chr(8722));
CREATE TEMP MACRO plain(v, d) AS format('{:,.' || d || 'f}', v);
CREATE TEMP MACRO signed(v, d) AS CASE WHEN v > 0 THEN '+' ELSE '' END || num(v, d);
CREATE TEMP MACRO long_day(v) AS strftime(v, '%-d %b %Y');
CREATE TEMP MACRO month_of(v) AS strftime(v, '%b %Y');
CREATE TEMP MACRO quarter_of(v) AS 'Q' || quarter(v) || ' ' || year(v);
CREATE TEMP MACRO in_words(n) AS coalesce(['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
  [n + 1], n::VARCHAR);
"""
# Values of the release on every month-end of the undisputed dates.
KNOWN_SAID = """CREATE TEMP TABLE known_said AS
SELECT first, last, which, expected, as_of_date,
  CASE which WHEN 'regime' THEN regime WHEN 'stance' THEN stance ELSE condition_state END AS said FROM (VALUES """
KNOWN_OF = """) AS c(first, last, which, expected)
JOIN regime ON is_month_end AND as_of_date BETWEEN first::DATE AND last::DATE"""
RECOMPUTED = {
    "lead_verdict": """
        WITH rate AS (SELECT arg_max(value, observation_date) - arg_max(value, observation_date)
              FILTER (observation_date <= {now} - INTERVAL 6 MONTH) AS moved FROM series_as_of('DFEDTARU', {now})),
        decided AS (FROM policy_events WHERE changes_direction AND counts_from_date <= {now}
          ORDER BY counts_from_date DESC LIMIT 1),
        past AS (SELECT arg_max(stance, as_of_date) AS stance, arg_max(condition_state, as_of_date) AS state
          FROM regime WHERE as_of_date < {now})
        SELECT strftime({now}, '%B %Y'), 'stopped being stimulus in a bubble', 'neutral if the Fed still buys',
          'tightening if the purchases have ended', 'measured by the actual balance sheet'
        FROM regime r, rate, decided, past, reserve_growth g, release_manifest m
        WHERE r.as_of_date = {now} AND g.as_of_date = {now} AND r.condition_state = 'bubble' AND past.state = 'bubble'
          AND past.stance = 'stimulus' AND rate.moved >= 0.20 AND decided.direction = 1
          AND decided.is_reserve_management AND abs(g.balance_sheet_impulse_pct_gdp) <= 0.75
          AND {now} - m.desk_notices_until > 60""",
    "lead_open": """
        WITH h AS (SELECT t.observation_date AS d, t.value / 1000 AS t, w.value / 1000 AS m
          FROM series_as_of('TREAST', {now}) t JOIN series_as_of('WSHOMCB', {now}) w USING (observation_date)
          WHERE d >= {now} - 42)
        SELECT long_day((SELECT desk_notices_until FROM release_manifest)), strftime(min(d), '%-d %b'),
          long_day(max(d)), 'Treasuries rose by', num(arg_max(t, d) - arg_min(t, d), 0), 'mortgage securities fell by',
          num(arg_min(m, d) - arg_max(m, d), 0), 'no more than reinvestment'
        FROM h HAVING round(arg_max(t + m, d) - arg_min(t + m, d)) <= 0 AND min(d) = DATE '2026-08-19'""",
    "lead_since": """
        WITH runs AS (SELECT as_of_date, regime, sum((regime IS DISTINCT FROM before)::INT)
            OVER (ORDER BY as_of_date) AS run
          FROM (SELECT as_of_date, regime, lag(regime) OVER (ORDER BY as_of_date) AS before FROM regime))
        SELECT 'stimulus into a bubble', strftime(min(as_of_date), '%B %Y'), strftime(max(as_of_date), '%B %Y')
        FROM runs WHERE run = (SELECT max(run) - 1 FROM runs) AND regime = 'stimulus_into_bubble'""",
    "lead_policy": """
        WITH core AS (SELECT 100 * (a.value / b.value - 1) AS pct FROM series_as_of('PCEPILFE', {now}) a
          JOIN series_as_of('PCEPILFE', {now}) b ON b.observation_date = a.observation_date - INTERVAL 12 MONTH
          ORDER BY a.observation_date DESC LIMIT 1),
        gap AS (SELECT 100 * (a.value / p.value - 1) AS pct FROM series_as_of('GDPC1', {now}) a
          JOIN series_as_of('GDPPOT', {now}) p USING (observation_date) ORDER BY observation_date DESC LIMIT 1),
        f AS (SELECT arg_max(value, observation_date) AS rate FROM series_as_of('DFEDTARU', {now})),
        s AS (SELECT arg_max(value, observation_date) / arg_max(value, observation_date)
            FILTER (observation_date <= {now} - 182 - 7) AS reserves FROM series_as_of('WRESBAL', {now})),
        t AS (SELECT rate, core.pct AS core, rate - core.pct AS real_rate,
            rate - (1.5 * core.pct - 1 + 0.5 * gap.pct) AS less FROM f, core, gap)
        SELECT 'direction policy is neutral', 'offset each other', 'its level is neutral too', num(real_rate, 2),
          num(0.5 - less, 1), num(2.0 - less, 1), 'below the Taylor rule', 'cannot be compared',
          'reserves are smaller', 'about a tenth', 'at the limit', 'not all three'
        FROM t, s, monetisation m, real_yields y, reserve_growth g
        WHERE m.as_of_date = {now} AND y.as_of_date = {now} AND g.as_of_date = {now}
          AND real_rate BETWEEN 0.5 AND 1.5 AND less < 0.5 AND reserves < 1 AND abs(m.share_12m_pct - 10) <= 1
          AND y.policy_rate_change_6m_pp > 0 AND g.bank_credit_yoy_pct IS NULL""",
    "lead_conditions": """
        SELECT in_words((r.valuation_score >= 0.70)::INT + (r.economy_score >= 0.50)::INT
            + (r.credit_score >= 0.55)::INT + (e.value >= 2.0)::INT),
          'valuation', 'economy', 'credit', 'inflation'
        FROM regime r JOIN regime_evidence e USING (as_of_date)
        WHERE as_of_date = {now} AND e.condition = 'inflation' AND r.valuation_score >= 0.70
          AND r.economy_score >= 0.50 AND e.value >= 2.0 AND r.credit_score >= 0.55""",
    "tile_state": """
        SELECT 'Higher than', num(100 * place, 0), '1995' FROM (SELECT as_of_date,
            percent_rank() OVER (ORDER BY valuation_score + economy_score + credit_score) AS place
          FROM regime WHERE is_month_end AND bubble_score IS NOT NULL)
        WHERE as_of_date = {now}""",
    "tile_policy": """
        WITH rate AS (SELECT arg_max(value, observation_date) AS now, arg_max(value, observation_date)
              FILTER (observation_date <= {now} - INTERVAL 6 MONTH) AS before FROM series_as_of('DFEDTARU', {now})),
        core AS (SELECT 100 * (a.value / b.value - 1) AS pct FROM series_as_of('PCEPILFE', {now}) a
          JOIN series_as_of('PCEPILFE', {now}) b ON b.observation_date = a.observation_date - INTERVAL 12 MONTH
          ORDER BY a.observation_date DESC LIMIT 1),
        decided AS (SELECT arg_max(direction, counts_from_date) AS direction FROM policy_events
          WHERE changes_direction AND counts_from_date <= {now})
        SELECT 'Rate raised', 'purchases announced', 'offset each other', 'neutral', num(now - pct, 2)
        FROM rate, core, decided WHERE now - before >= 0.2 AND direction = 1 AND now - pct BETWEEN 0.5 AND 1.5""",
    "tile_sure": """
        SELECT 5 * 5 * 5 * 3, num(score_p05, 2), num(score_p95, 2), 'Credit lacks',
          num(100 * (1 - credit_coverage), 0)
        FROM regime WHERE as_of_date = {now} AND credit_coverage < least(valuation_coverage, economy_coverage)""",
    "tile_end": """
        SELECT num(bubble_score - 0.52, 2), 'lower', 'one month-end', 'a decision on the policy rate' FROM regime
        WHERE as_of_date = {now} AND condition_state = 'bubble' AND valuation_score - 0.60 > bubble_score - 0.52
          AND NOT EXISTS (FROM distance_to_flip WHERE as_of_date = {now} AND condition <> 'stance'
            AND reachability = 'reachable')""",
    "care_old": """
        WITH n AS (SELECT series_id, max(observation_date) AS d FROM all_as_of({now}) WHERE value IS NOT NULL
          GROUP BY ALL),
        p AS (SELECT max(d) FILTER (series_id = 'EBP') AS ebp, max(d) FILTER (series_id = 'GZ_SPREAD') AS gz,
          max(d) FILTER (series_id = 'TOTBKCR') AS credit, max(d) FILTER (series_id = 'CP') AS profits,
          max(d) FILTER (series_id = 'PCEPILFE') AS core FROM n)
        SELECT 'excess bond premium', month_of(ebp), 'Gilchrist-Zakrajsek', month_of(gz), 'real bank credit',
          long_day(credit), 'two thirds', 'earnings yield', quarter_of(profits), 'core PCE inflation', month_of(core)
        FROM p WHERE {now} - last_day(ebp) > 75 AND {now} - last_day(gz) > 75 AND {now} - credit > 28
          AND {now} - last_day(profits + INTERVAL 2 MONTH) > 230 * 2 / 3 AND {now} - last_day(core) > 130 * 2 / 3""",
    "care_single": """
        WITH n AS (SELECT series_id, max(observation_date) AS d FROM all_as_of({now}) WHERE value IS NOT NULL
          GROUP BY ALL),
        p AS (SELECT max(d) FILTER (series_id = 'NCBEILQ027S_GDP_PCT') AS ratio, max(d) FILTER (series_id = 'CP') AS cp,
          max(d) FILTER (series_id = 'HQMCB10YR') AS hqm, max(d) FILTER (series_id = 'PCEPILFE') AS core,
          list(series_id ORDER BY series_id) FILTER (d >= single_source_from AND role = 'condition' AND NOT is_stale)
            AS alone FROM n JOIN series USING (series_id))
        SELECT 'equity value to GDP', quarter_of(ratio), 'earnings yield', quarter_of(cp), 'high-quality less 10-year',
          month_of(hqm), 'core PCE inflation', month_of(core)
        FROM p WHERE alone = ['CP', 'HQMCB10YR', 'NCBEILQ027S_GDP_PCT', 'PCEPILFE']""",
    "depression_meaning": """
        WITH d AS (SELECT as_of_date, EXISTS (FROM recessions WHERE date_trunc('month', as_of_date) > peak_month
              AND date_trunc('month', as_of_date) <= trough_month) AS is_recession
          FROM regime WHERE is_month_end AND condition_state = 'depression'
            AND as_of_date <= (SELECT max(checked_until) FROM recessions))
        SELECT count(*) FILTER (NOT is_recession), count(*), num(100 * avg((NOT is_recession)::INT), 0),
          month_of((SELECT max(checked_until) FROM recessions)) FROM d""",
    "balance_sheet": """
        SELECT '26', 'grew', num(fed_assets_growth_26w_pct, 2), 'missing', 'shrinking'
        FROM reserve_growth WHERE as_of_date = {now} AND fed_assets_growth_26w_pct > 0 AND bank_credit_yoy_pct IS NULL
          AND reserve_balances_growth_26w_pct < 0""",
    "lead_past": """
        SELECT 'QE1, QE2 and QE3', in_words(max(hot)), in_words(min(cold)) FROM (
          SELECT (valuation_score >= 0.70)::INT + (economy_score >= 0.50)::INT + (credit_score >= 0.55)::INT
              + (inflation_verdict = 'hot')::INT AS hot,
            (valuation_score <= 0.50)::INT + (economy_score <= 0.35)::INT + (credit_score <= 0.30)::INT
              + (inflation_verdict = 'cold')::INT AS cold
          FROM qe_phases WHERE phase IN ('qe1', 'qe2', 'qe3'))""",
    "timeline_count": """
        WITH s AS (SELECT *, row_number() OVER (ORDER BY as_of_date) AS n FROM regime WHERE bubble_score IS NOT NULL),
        hit AS (SELECT n - row_number() OVER (ORDER BY n) AS island FROM s WHERE regime = 'stimulus_into_bubble')
        SELECT (SELECT count(*) FROM hit), (SELECT count(*) FROM s), month_of((SELECT min(as_of_date) FROM s)),
          in_words(count(DISTINCT island)), 'now over' FROM hit
        WHERE (SELECT regime FROM regime WHERE as_of_date = {now}) <> 'stimulus_into_bubble'""",
    "past_easing": """
        SELECT in_words(q1.cold_conditions), 'QE1', in_words(q1.cold_conditions_after), 'three', 'QE2',
          in_words(q2.cold_conditions), in_words(q2.cold_conditions_after), 'QE3', in_words(q3.cold_conditions),
          in_words(q3.cold_conditions_after), 'none is cold', in_words(t.hot_conditions)
        FROM qe_phases q1, qe_phases q2, qe_phases q3, qe_phases t
        WHERE q1.phase = 'qe1' AND q2.phase = 'qe2' AND q3.phase = 'qe3' AND t.phase = 'today'
          AND t.cold_conditions = 0""",
    "evidence_extremes": """
        SELECT '0', '100', replace(arg_max(component, score), '_', ' '), num(100 * max(score), 0), 'real GDP growth',
          num(100 * min(score), 0)
        FROM regime_evidence WHERE as_of_date = {now} AND contribution > 0
        HAVING arg_min(component, score) = 'real_gdp_growth'""",
    "evidence_absent": """
        SELECT count(*) FILTER (value IS NULL), count(*), count(*) FILTER (absent_reason = 'not_in_profile'),
          'not in this profile', count(*) FILTER (absent_reason = 'stale'), 'too old'
        FROM regime_evidence WHERE as_of_date = {now}""",
    "change_label": """
        SELECT long_day(as_of_date), 'stimulus into a bubble', 'neutral policy in a bubble',
          'the policy rate changed the stance'
        FROM (FROM (SELECT *, lag(regime) OVER t AS before, lag(rate_direction) OVER t AS rate_before,
              lag(balance_sheet_direction_announced) OVER t AS announced_before
            FROM regime WINDOW t AS (ORDER BY as_of_date))
          WHERE regime <> before ORDER BY as_of_date DESC LIMIT 1)
        WHERE regime = 'neutral_bubble' AND before = 'stimulus_into_bubble' AND rate_direction < rate_before
          AND balance_sheet_direction_announced = announced_before""",
    "change_score": """
        WITH e AS (SELECT component, sum(contribution) FILTER (as_of_date = {now})
            - sum(contribution) FILTER (as_of_date = DATE '2026-08-31') AS moved
          FROM regime_evidence GROUP BY component),
        ranked AS (SELECT *, row_number() OVER (ORDER BY abs(moved) DESC) AS n FROM e)
        SELECT '31 Aug 2026', (SELECT num(bubble_score, 3) FROM regime WHERE as_of_date = DATE '2026-08-31'),
          (SELECT num(bubble_score, 3) FROM regime WHERE as_of_date = {now}),
          'high-quality less 10-year yield', max(signed(moved, 3)) FILTER (n = 1), 'equity price over 12 months',
          max(signed(moved, 3)) FILTER (n = 2)
        FROM ranked HAVING list(component ORDER BY n) FILTER (n <= 2) = ['hqm_10y_spread', 'equity_return_12m']""",
    "money_correlation": """
        WITH m AS (SELECT o.observation_date AS m, o.value, c.value AS cpi, t.value AS bill
          FROM all_as_of({now}) o JOIN all_as_of({now}) c USING (observation_date)
          JOIN all_as_of({now}) t USING (observation_date)
          WHERE o.series_id = 'M2SL' AND c.series_id = 'CPIAUCSL' AND t.series_id = 'TB3MS'),
        y AS (SELECT a.m, 100 * (a.value / b.value - 1) AS m2, a.bill - 100 * (a.cpi / b.cpi - 1) AS rate
          FROM m a JOIN m b ON b.m = a.m - INTERVAL 12 MONTH)
        SELECT num(corr(m2, rate), 2), month_of(min(m)), 'weak',
          num(corr(m2, rate) FILTER (m > (SELECT max(m) FROM y) - INTERVAL 120 MONTH), 2) FROM y""",
    "premium_rank": """
        WITH h AS (SELECT round(erp_vs_nominal_10y_pp, 6) AS v, as_of_date FROM equity_risk_premium
          WHERE erp_vs_nominal_10y_pp IS NOT NULL), t AS (SELECT v FROM h WHERE as_of_date = {now})
        SELECT '10', (SELECT num(v, 2) FROM t), num(100 * avg((h.v < t.v)::INT + 0.5 * (h.v = t.v)::INT), 0), '1985'
        FROM h, t""",
    "monetisation": """
        WITH d AS (SELECT observation_date AS seen, value / 1000 AS v
          FROM series_as_of('MSPD_TOTAL_MARKETABLE', {now})),
        t AS (SELECT observation_date AS seen, value / 1000 AS v FROM series_as_of('TREAST', {now})),
        m AS (SELECT observation_date AS seen, value / 1000 AS v FROM series_as_of('WSHOMCB', {now})),
        w AS (SELECT
            (SELECT v FROM d WHERE seen = '2026-05-31') - (SELECT v FROM d WHERE seen = '2025-05-31') AS debt,
            (SELECT v FROM d WHERE seen = '2026-05-31') - (SELECT v FROM d WHERE seen = '2025-11-30') AS half,
            (SELECT v FROM t WHERE seen = '2026-05-27') - (SELECT v FROM t WHERE seen = '2025-05-28') AS bought,
            (SELECT v FROM t WHERE seen = '2026-05-27') - (SELECT v FROM t WHERE seen = '2025-11-26') AS bought_half,
            (SELECT v FROM m WHERE seen = '2026-05-27') - (SELECT v FROM m WHERE seen = '2025-11-26') AS ran_off)
        SELECT 'May 2026', 'increased', num(bought, 0), 'rose', num(debt, 0), num(100 * bought / debt, 2),
          'at the limit of', '10', 'neither is claimed',
          num(100 * bought_half / half, 2), num(100 * (bought_half + ran_off) / half, 2),
          '12 Dec 2025', num(100 * bought_half / half, 2), num(100 * (bought_half + ran_off) / half, 2)
        FROM w WHERE abs(100 * bought / debt - 10) < 1 AND bought > 0 AND debt > 0""",
    "coordination": """
        SELECT 'Not all three', num(g.balance_sheet_impulse_pct_gdp, 2), '0.5', signed(y.policy_rate_change_6m_pp, 2),
          num(-0.20, 2), num(f.deficit_12m_pct_gdp, 2), '4'
        FROM reserve_growth g JOIN fiscal_and_debt f USING (as_of_date) JOIN real_yields y USING (as_of_date)
        WHERE as_of_date = {now} AND g.balance_sheet_impulse_pct_gdp >= 0.5 AND y.policy_rate_change_6m_pp > -0.20
          AND f.deficit_12m_pct_gdp >= 4""",
    "gold_hurdle": """
        SELECT '10', num(arg_max(value, observation_date), 2) FROM series_as_of('DGS10', {now})
        WHERE value IS NOT NULL""",
    "gold_at_five": """
        SELECT '5', '10', 'returns', num(arg_max(value, observation_date) - 5, 2) FROM series_as_of('DGS10', {now})
        WHERE value IS NOT NULL HAVING arg_max(value, observation_date) >= 5""",
    "destination": """
        SELECT '12', (equity_real_return_12m_pct > 0)::INT + (real_10y_change_12m_pp < 0)::INT
            + (earnings_multiple_change_12m_pct > 0)::INT + (gold_less_core_inflation_12m_pp > 0)::INT, 4,
          signed(core_pce_yoy_change_12m_pp, 2), 'to goods and services'
        FROM liquidity_destination WHERE as_of_date = {now} AND spread_change_12m_pp IS NULL
          AND core_pce_yoy_change_12m_pp > 0 AND core_pce_yoy_pct >= 2.0""",
    "gauge_known": """
        SELECT in_words(count(DISTINCT criterion)), in_words(count(DISTINCT criterion) FILTER (rank IS NOT NULL)),
          in_words(count(*) FILTER ((CASE hot_when WHEN 'high' THEN rank ELSE 1 - rank END) >= 0.8)),
          in_words(count(rank)) FROM bubble_gauge WHERE as_of_date = {now}""",
    "checks_summary": """
        SELECT count(*), count(*) FILTER (severity = 'ERROR'),
          CASE WHEN count(*) FILTER (severity = 'ERROR' AND NOT passed) = 0 THEN 'none' END,
          in_words(count(*) FILTER (severity = 'WARN' AND NOT passed)) FROM check_results""",
    "sources_count": """
        SELECT count(DISTINCT series_id), (SELECT count(DISTINCT publisher) FROM series
            WHERE series_id IN (SELECT series_id FROM observations)), 'CC BY 4.0', 'public domain'
        FROM observations""",
    "flip_nearest": """
        SELECT 'bubble score fell', num(bubble_score - l.number, 3), num(l.number, 2), 'the bubble would end'
        FROM regime, method_parameters l, method_parameters v
        WHERE as_of_date = {now} AND condition_state = 'bubble' AND l.section = 'state.bubble'
          AND l.parameter = 'leave_score' AND v.section = 'state.bubble' AND v.parameter = 'leave_valuation'
          AND bubble_score - l.number BETWEEN 0 AND valuation_score - v.number""",
    "flip_alone": """
        WITH e AS (SELECT condition, score, bubble_score, valuation_score, CASE WHEN component IN ('sahm_gap',
            'claims_change') THEN max(contribution) OVER (PARTITION BY component IN ('sahm_gap', 'claims_change'),
            condition) ELSE contribution END AS part
          FROM regime_evidence JOIN regime USING (as_of_date) WHERE as_of_date = {now} AND condition <> 'inflation')
        SELECT 'No input', in_words(count(*) FILTER (score IS NOT NULL AND bubble_score - part >= 0.52
            AND (condition <> 'valuation' OR valuation_score - 3 * part >= 0.60))) || ' could not, even at the extreme',
          in_words(count(*) FILTER (score IS NULL)) || ' are absent' FROM e""",
    "change_publication": """
        SELECT 'first publication', 'no earlier one' FROM release_manifest
        WHERE published_at <= (SELECT min(published_at) FROM regime_nightly)""",
    "post_day": """
        SELECT long_day(p.as_of_date), 'stimulus into a bubble' FROM qe_phases p, regime r WHERE p.phase = 'post'
          AND r.as_of_date = (SELECT max(as_of_date) FROM regime WHERE is_month_end AND as_of_date < p.as_of_date)
          AND r.regime = 'stimulus_into_bubble'""",
    "gold_correlation": """
        WITH m AS (SELECT g.observation_date AS m, g.value AS gold, c.value AS cpi
          FROM series_as_of('GOLD_WB_MONTHLY', {now}) g JOIN series_as_of('CPIAUCSL', {now}) c USING (observation_date)
          WHERE c.value IS NOT NULL AND g.observation_date >= DATE '1975-01-01'),
        y AS (SELECT corr(a.gold / b.gold, a.cpi / b.cpi) AS r FROM m a JOIN m b ON b.m = a.m - INTERVAL 12 MONTH),
        t AS (SELECT corr((a.gold / b.gold) ** 0.1, (a.cpi / b.cpi) ** 0.1) AS r,
            date_diff('month', min(a.m), max(a.m)) // 120 + 1 AS apart
          FROM m a JOIN m b ON b.m = a.m - INTERVAL 120 MONTH)
        SELECT month_of((SELECT min(m) FROM m)), 'one year', num(y.r, 2), 'hardly any link', num(t.r, 2), 'a weak link',
          in_words(t.apart), (SELECT num(arg_max(gold, m) / arg_min(gold, m), 1) FROM m),
          (SELECT num(arg_max(cpi, m) / arg_min(cpi, m), 1) FROM m)
        FROM y, t WHERE abs(y.r) < 0.1 AND abs(t.r) BETWEEN 0.1 AND 0.3""",
    "after_purchases": """
        WITH p AS (SELECT e.as_of_date AS m, y.real_10y_pct AS real, y.real_10y_basis AS basis, e.equity_price / (
              SELECT arg_max(o.value, o.observation_date) FROM observations o
              WHERE o.series_id = 'CP' AND e.as_of_date BETWEEN o.realtime_start AND o.realtime_end) AS multiple,
            e.equity_price_basis AS priced
          FROM equity_risk_premium e JOIN real_yields y USING (as_of_date) WHERE e.is_month_end),
        c AS (SELECT a.m, b.m AS later, CASE WHEN a.basis = b.basis THEN b.real - a.real END AS real, a.basis,
            CASE WHEN a.priced = b.priced AND a.priced = 'oecd_shares' THEN b.multiple / a.multiple - 1 END AS multiple
          FROM p a JOIN p b ON b.m = last_day(a.m + INTERVAL 4 MONTH)),
        s AS (SELECT announced_on AS d FROM policy_events WHERE starts_phase IS NOT NULL),
        o AS (SELECT * FROM c WHERE NOT EXISTS (SELECT * FROM s WHERE d > m AND d <= later)),
        e AS (SELECT c.*,
            (SELECT avg((o.real < c.real)::INT) FROM o WHERE o.basis = c.basis AND o.real IS NOT NULL) AS low,
            (SELECT avg((o.multiple > c.multiple)::INT) FROM o WHERE o.multiple IS NOT NULL) AS high
          FROM c JOIN s ON c.m = last_day(s.d - INTERVAL 1 MONTH))
        SELECT 'three', 'real 10-year', in_words(count(*) FILTER (real < 0)) || ' of ' || in_words(count(real)),
          in_words(count(*) FILTER (real < 0 AND low < 0.1)), 'price over earnings',
          in_words(count(*) FILTER (multiple > 0)) || ' of ' || in_words(count(multiple)),
          replace(in_words(count(*) FILTER (multiple > 0 AND high < 0.1)), 'no', 'none') FROM e""",
    "phases_runs": """
        WITH s AS (SELECT as_of_date, regime, is_month_end, row_number() OVER (ORDER BY as_of_date)
            - row_number() OVER (PARTITION BY regime ORDER BY as_of_date) AS island
          FROM regime WHERE bubble_score IS NOT NULL),
        runs AS (SELECT min(as_of_date) AS first, regime, count(*) FILTER (is_month_end) AS months FROM s
          GROUP BY regime, island)
        SELECT count(*), month_of(min(first)), in_words(quantile_disc(months, 0.5)), max(months),
          'tightening in mid-cycle', month_of(arg_max(first, months))
        FROM runs HAVING arg_max(regime, months) = 'tightening_mid_cycle'""",
    "followed": """
        WITH r AS (SELECT as_of_date, regime, row_number() OVER (ORDER BY as_of_date)
            - row_number() OVER (PARTITION BY regime ORDER BY as_of_date) AS island
          FROM regime WHERE is_month_end AND bubble_score IS NOT NULL),
        s AS (SELECT max(as_of_date) = {now} AS is_open FROM r WHERE regime = 'neutral_bubble' GROUP BY island)
        SELECT in_words(count(*)) || ' spells', in_words(count(*) FILTER (NOT is_open)) || ' of them closed' FROM s
        HAVING count(*) FILTER (NOT is_open) >= 5""",
    "firm_range": """
        SELECT (SELECT num(number, 0) FROM method_parameters WHERE parameter = 'weight_draws'), num(score_p05, 2),
          num(score_p95, 2), (SELECT product(len(string_split(text, ',')))::INT FROM method_parameters
            WHERE parameter IN ('threshold_shifts', 'valuation_rank_shares', 'spread_weights', 'confirmation_months')
              AND section = 'robustness'), num(100 * agreement, 0)
        FROM regime WHERE as_of_date = {now} AND bubble_score BETWEEN score_p05 AND score_p95""",
    "firm_parameters": """
        WITH p AS (SELECT parameter, avg(disagreement_share) AS share FROM parameter_sensitivity GROUP BY parameter),
        n AS (SELECT CASE condition_state WHEN 'bubble' THEN abs(bubble_score - 0.52)
            WHEN 'depression' THEN abs(bubble_score - 0.44)
            ELSE least(abs(bubble_score - 0.60), abs(bubble_score - 0.40)) END AS away
          FROM regime WHERE is_month_end AND bubble_score IS NOT NULL)
        SELECT 'the height of the thresholds', num(100 * max(share), 0), '0.02',
          (SELECT count(*) FROM n WHERE away <= 0.02), (SELECT count(*) FROM n)
        FROM p HAVING arg_max(parameter, share) = 'threshold_shifts'""",
    "firm_revised": """
        SELECT count(*) FILTER (v.regime_revised = r.regime), count(*), 'no revision changed a score',
          'No figure arrived late'
        FROM regime r JOIN regime_revised v USING (as_of_date) WHERE r.is_month_end AND r.bubble_score IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM late_figures)
        HAVING max(abs(v.revised_score - r.bubble_score)) < 1e-9""",
    "cases_hold": """
        SELECT count(*) FILTER (good), count(*) FROM (
          SELECT bool_and(said = expected) AS good FROM known_said GROUP BY first, last, which)""",
    "cases_unsteady": """
        SELECT 'Dec 1999', 'Mar 2000', 'Nov 2010' FROM (SELECT list(DISTINCT as_of_date ORDER BY as_of_date) AS lost
          FROM known_said JOIN method_variants v USING (as_of_date) WHERE v.variant = 'without_hysteresis'
            AND expected <> CASE which WHEN 'regime' THEN regime_variant WHEN 'stance' THEN stance_variant
              ELSE condition_state_variant END)
        WHERE lost = [DATE '1999-12-31', DATE '2000-03-31', DATE '2010-11-30']""",
    "misfits": """
        SELECT 'inflation was hot at QE1', 'cold three month-ends later' FROM qe_phases
        WHERE phase = 'qe1' AND inflation_verdict = 'hot' AND inflation_verdict_after = 'cold'
          AND (SELECT sum(hot_conditions) FROM qe_phases WHERE phase IN ('qe1', 'qe2', 'qe3')) = 1""",
    "caveats_count": """
        SELECT count(*), in_words(count(*) FILTER (severity = 'warning')) || ' warnings',
          in_words(count(*) FILTER (severity = 'caution')) || ' cautions',
          (SELECT in_words(count(*)) FROM regime_evidence WHERE as_of_date = {now} AND value IS NULL)
        FROM caveats WHERE applies_now""",
}  # fmt: skip
# On the release as it would have ended in May, where bank credit was known.
IN_MAY = {
    "balance_sheet": """
        SELECT '26', 'grew', num(fed_assets_growth_26w_pct, 2),
          num(abs(fed_assets_growth_26w_pct - greatest(bank_credit_yoy_pct, nominal_gdp_yoy_pct)), 2), 'less',
          CASE WHEN fed_assets_growth_26w_pct >= 0 AND excess_growth_pp <= 0 THEN 'no more than keeping pace' END,
          CASE WHEN reserve_excess_growth_pp > 5 THEN 'stimulative' END
        FROM reserve_growth WHERE as_of_date = {now} AND fed_assets_growth_26w_pct > 0
          AND fed_assets_growth_26w_pct < greatest(bank_credit_yoy_pct, nominal_gdp_yoy_pct)""",
}


def check(query: str, con: duckdb.DuckDBPyConnection, text: str) -> None:
    """The results of the sentence's query are in it, in their order, and no other figure is."""
    rows = con.execute(query.format(now=NOW)).fetchall()
    assert len(rows) == 1, "the newest row is in another state than the sentence"
    rest = ""
    for value in rows[0]:
        wanted = f"{value:,}" if isinstance(value, int) else value
        assert wanted is not None and wanted.lower() in text.lower(), f"{wanted!r} is not in {text!r}"
        at = text.lower().index(wanted.lower())
        before, text = text[:at], text[at + len(wanted) :]
        rest += before
    rest = re.sub(r"QE\d", "", rest + text)
    assert not re.search(r"\d", rest), f"figures that no query recomputes: {rest!r}"
