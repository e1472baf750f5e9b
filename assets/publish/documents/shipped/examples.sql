-- Queries for common questions, for any DuckDB client from 1.2 on, with regime.duckdb opened directly and read-only.
-- A block begins with [name] and its question; the lines below it are notes. Change the dates in a query as you need.

-- [where_do_we_stand] What is the current label, and since when?
SELECT as_of_date, regime, regime_since, stance, stance_driver, condition_state,
  round(bubble_score, 2) AS bubble_score, round(distance_to_threshold, 2) AS distance, coverage, pit_grade
FROM regime_current;

-- [every_month] Which labels, scores, ranks and figures did each month-end have?
-- One row per month-end, every column once; the comments of the columns give unit and definition.
FROM monthly ORDER BY as_of_date DESC;

-- [since_when] Which labels applied, from when to when, and what ended each?
SELECT start_month_end, end_month_end, months, label, ended_by, ended_because
FROM spells ORDER BY start_month_end DESC;

-- [why] Why: what is the value of each input, and its share of the score?
-- Contributions of valuation, economy and credit add up to bubble_score; inflation is shown but is not part of it.
SELECT condition, component, round(value, 2) AS value, unit, observation_date, available_on,
  round(score, 2) AS score, round(contribution, 3) AS contribution, absent_reason
FROM evidence_current
ORDER BY condition, contribution DESC, component;

-- [what_changed] What changed since the previous month-end, and since the last publication?
SELECT compared_with, item, before_as_of_date, coalesce(text_before, round(value_before, 3)::VARCHAR) AS before,
  coalesce(text_now, round(value_now, 3)::VARCHAR) AS now, unit
FROM what_changed
ORDER BY compared_with, item;

-- [premium_since_1990] How high was the equity premium since 1990, on every basis and with its rank?
-- Ranks are those of the basis in use. Reported earnings (ttm) are not in the sample: see the comment of the column.
SELECT m.as_of_date, m.earnings_yield_basis AS basis, round(m.erp_vs_nominal_10y_pp, 2) AS vs_nominal_pp,
  round(m.erp_vs_nominal_10y_pp_rank, 2) AS vs_nominal_rank, round(m.erp_vs_real_10y_pp, 2) AS vs_real_pp,
  round(m.erp_vs_real_10y_pp_rank, 2) AS vs_real_rank, round(e.erp_vs_nominal_10y_nipa_pp, 2) AS nipa_vs_nominal_pp,
  round(e.erp_vs_real_10y_nipa_pp, 2) AS nipa_vs_real_pp, round(e.erp_vs_nominal_10y_ttm_pp, 2) AS ttm_vs_nominal_pp,
  round(e.erp_vs_real_10y_ttm_pp, 2) AS ttm_vs_real_pp
FROM monthly AS m LEFT JOIN equity_risk_premium AS e USING (as_of_date)
WHERE as_of_date >= DATE '1990-01-01' ORDER BY as_of_date DESC;

-- [reserves_around_purchases] How large were bank reserves in percent of GDP around each start of purchases?
-- At the last month-end known on the day, a year before it and one and two years after it; empty where not known.
SELECT p.phase, p.as_of_date,
  round(max(m.reserve_balances_pct_gdp) FILTER (m.apart = -12), 2) AS a_year_before,
  round(max(m.reserve_balances_pct_gdp) FILTER (m.apart = 0), 2) AS at_start,
  round(max(m.reserve_balances_pct_gdp) FILTER (m.apart = 12), 2) AS a_year_after,
  round(max(m.reserve_balances_pct_gdp) FILTER (m.apart = 24), 2) AS two_years_after
FROM qe_phases AS p LEFT JOIN (
  SELECT q.phase, n.reserve_balances_pct_gdp, date_diff('month', q.as_of_date, n.as_of_date) + 1 AS apart
  FROM qe_phases AS q CROSS JOIN monthly AS n
) AS m USING (phase)
WHERE p.kind = 'qe_start' GROUP BY p.phase, p.as_of_date ORDER BY p.as_of_date;

-- [gold_against_real_yield] How closely did real gold and the real 10-year yield move together, decade by decade?
-- Correlation of levels and of changes over twelve months; month-ends whose two figures are known.
SELECT year(as_of_date) // 10 * 10 AS decade, count(gold_change) AS month_ends,
  round(corr(real_gold_usd_per_oz, real_10y_pct), 2) AS of_levels, round(corr(gold_change, yield_change), 2) AS of_changes,
  round(avg(real_10y_pct), 2) AS mean_real_10y_pct, round(avg(real_gold_usd_per_oz)) AS mean_real_gold_usd_per_oz
FROM (
  SELECT as_of_date, real_gold_usd_per_oz, real_10y_pct,
    real_gold_usd_per_oz / lag(real_gold_usd_per_oz, 12) OVER (ORDER BY as_of_date) - 1 AS gold_change,
    real_10y_pct - lag(real_10y_pct, 12) OVER (ORDER BY as_of_date) AS yield_change
  FROM monthly
)
GROUP BY decade ORDER BY decade;

-- [old_inputs] Which inputs are too old to be used, or about to be?
SELECT s.series_id, s.last_period_end, r.as_of_date - s.last_period_end AS age_days, s.staleness_limit_days,
  s.role
FROM series AS s CROSS JOIN regime_current AS r
WHERE s.in_profile AND s.staleness_limit_days > 0
ORDER BY (r.as_of_date - s.last_period_end) / s.staleness_limit_days DESC NULLS LAST LIMIT 10;

-- [without_nfci] What would the newest score be without one input, for example NFCI?
-- The other inputs of its condition take over its weight. The label also depends on the thresholds of the state.
SELECT round(r.bubble_score, 4) AS bubble_score, round(avg(c.score), 4) AS without_nfci,
  round(avg(c.score) - r.bubble_score, 4) AS change, r.condition_state
FROM (
  SELECT condition, sum(weight * score) FILTER (component <> 'nfci') / sum(weight) FILTER (component <> 'nfci') AS score
  FROM evidence_current WHERE condition <> 'inflation' AND weight > 0 GROUP BY condition
) AS c CROSS JOIN regime_current AS r
GROUP BY r.bubble_score, r.condition_state;

-- [unemployment_by_label] What was the mean unemployment rate under each label, and over how many spells?
SELECT m.regime, count(*) AS month_ends, count(DISTINCT s.start_month_end) AS spells,
  round(avg(m.unemployment_rate_pct), 2) AS mean_pct, round(min(m.unemployment_rate_pct), 2) AS lowest_pct,
  round(max(m.unemployment_rate_pct), 2) AS highest_pct
FROM monthly AS m LEFT JOIN spells AS s ON m.as_of_date BETWEEN s.start_month_end AND s.end_month_end
GROUP BY m.regime ORDER BY mean_pct;

-- [payroll_revisions] How were payrolls revised, from first release to today's value?
-- In thousands of jobs. Where a figure has one vintage, as in the bundled sample, first and newest are the same.
SELECT observation_date, arg_min(value, realtime_start) AS first_value, arg_max(value, realtime_start) AS newest_value,
  arg_max(value, realtime_start) - arg_min(value, realtime_start) AS revision, count(*) - 1 AS times
FROM observations
WHERE series_id = 'PAYEMS' AND value IS NOT NULL
GROUP BY observation_date ORDER BY observation_date DESC LIMIT 24;

-- [known_on_a_day_in_2008] What was known of every series on 2008-09-15?
-- A series without a figure in the two years before the date counts as discontinued.
SELECT series_id, max(observation_date) AS observation_date, arg_max(value, observation_date) AS value,
  arg_max(realtime_start, observation_date) AS known_since
FROM all_as_of(DATE '2008-09-15')
WHERE value IS NOT NULL AND observation_date > DATE '2006-09-15'
GROUP BY series_id ORDER BY series_id;

-- [label_on_a_date] Which label was in force on a date, with which scores?
SELECT as_of_date, regime, stance, condition_state, round(bubble_score, 2) AS bubble_score, pit_grade
FROM monthly
WHERE as_of_date <= DATE '2012-09-13'
ORDER BY as_of_date DESC LIMIT 1;

-- [what_would_flip_it] Which single input could change the label, and by how much must it move?
-- Nearest first. A threshold that no single input can reach is not listed: see reachability in the table.
SELECT leads_to, flip, component, component_unit, round(component_value, 2) AS now,
  round(required_value, 2) AS needed, round(required_move, 2) AS move, reachability, month_ends_needed, next_release_date
FROM distance_to_flip
WHERE as_of_date = (SELECT as_of_date FROM regime_current) AND reachability IN ('reachable', 'met')
ORDER BY abs(required_move) NULLS LAST, flip, component;

-- [which_column] Which column of which table has what I look for?
SELECT group_name, table_name, column_name, unit, definition
FROM columns
WHERE column_name ILIKE '%earnings%' OR definition ILIKE '%earnings%'
ORDER BY table_name, position;

-- [what_moved_the_score] Which inputs moved the score since the previous month-end?
SELECT component, condition, round(contribution_before, 4) AS before, round(contribution, 4) AS now,
  round(contribution_change, 4) AS change, round(score_effect, 4) AS by_its_score, round(weight_effect, 4) AS by_weights
FROM score_attribution
WHERE as_of_date = (SELECT as_of_date FROM regime_current) AND contribution_change <> 0
ORDER BY abs(contribution_change) DESC;

-- [why_the_label_changed] What was the cause of each change of label?
SELECT as_of_date, regime_before, regime, changed_part, stance_cause, thresholds_crossed, component,
  round(component_value_before, 2) AS before, round(component_value, 2) AS now, component_unit
FROM regime_changes
ORDER BY as_of_date DESC;

-- [four_by_four] Hot or cold: the four conditions at each start of purchases, and now?
-- As known on the day; _after is the third month-end after it, empty until it has come.
SELECT as_of_date, phase,
  max(verdict) FILTER (WHERE condition = 'valuation') AS valuation,
  max(verdict) FILTER (WHERE condition = 'economy') AS economy,
  max(verdict) FILTER (WHERE condition = 'inflation') AS inflation,
  max(verdict) FILTER (WHERE condition = 'credit') AS credit,
  max(verdict_after) FILTER (WHERE condition = 'valuation') AS valuation_after,
  max(verdict_after) FILTER (WHERE condition = 'economy') AS economy_after,
  max(verdict_after) FILTER (WHERE condition = 'inflation') AS inflation_after,
  max(verdict_after) FILTER (WHERE condition = 'credit') AS credit_after
FROM four_by_four
GROUP BY as_of_date, phase ORDER BY as_of_date;

-- [past_easing_against_now] What were the figures when past purchases began, compared with now?
SELECT as_of_date, phase, hot_conditions, cold_conditions, round(earnings_yield_pct, 2) AS earnings_yield_pct,
  round(erp_vs_real_10y_pp, 2) AS erp_vs_real_10y_pp, real_10y_pct, unemployment_rate_pct,
  round(real_gdp_yoy_pct, 2) AS real_gdp_yoy_pct, round(core_pce_yoy_pct, 2) AS core_pce_yoy_pct, nfci_index
FROM qe_phases
ORDER BY as_of_date;

-- [known_on_a_date] Which values of a series were known on a date?
-- On the day of the post the shutdown still delayed the September figure.
SELECT observation_date, value, realtime_start, vintage_source
FROM series_as_of('UNRATE', DATE '2025-11-05')
ORDER BY observation_date DESC LIMIT 6;

-- [vintages_of_one_figure] Which values did one figure have, and from when to when was each current?
-- realtime_end 9999-12-31 is still current. The bundled sample has one vintage per figure; live figures have all.
SELECT value, realtime_start, realtime_end, vintage_source, captured_at
FROM observations
WHERE series_id = 'GDPC1' AND observation_date = DATE '2025-04-01'
ORDER BY realtime_start;

-- [revisions] Which figures of a series were revised most, from first release to today's value?
-- Empty on the bundled sample, which has one vintage per figure.
SELECT observation_date, arg_min(value, realtime_start) AS first_value, arg_max(value, realtime_start) AS newest_value,
  arg_max(value, realtime_start) - arg_min(value, realtime_start) AS revision, count(*) - 1 AS times
FROM observations
WHERE series_id = 'GDPC1' AND value IS NOT NULL
GROUP BY observation_date
HAVING count(*) > 1
ORDER BY abs(revision) DESC LIMIT 20;

-- [real_yields] What are nominal and real yields, and which inflation is priced in?
SELECT as_of_date, nominal_10y_pct, real_10y_pct, real_10y_basis, round(breakeven_10y_pp, 2) AS breakeven_10y_pp,
  short_rate_pct, round(real_short_rate_pct, 2) AS real_short_rate_pct
FROM real_yields
ORDER BY as_of_date DESC LIMIT 24;

-- [monetisation_by_year] What share of new federal debt did the central bank buy, year by year?
SELECT as_of_date, round(treasuries_bought_12m_usd_bn) AS bought_usd_bn, round(debt_change_12m_usd_bn) AS debt_change_usd_bn,
  round(share_12m_pct, 1) AS share_pct, is_denominator_distorted, monetisation_band, is_coordinated
FROM monetisation
WHERE month(as_of_date) = 12 OR as_of_date = (SELECT as_of_date FROM regime_current)
ORDER BY as_of_date DESC;

-- [gold_hurdle] How much must a price rise to match the 10-year Treasury, and what is each real yield after inflation?
-- Gold pays nothing, so its price has to rise by the full yield; after inflation the gap stays the same.
SELECT asset, yield_basis, round(yield_pct, 2) AS yield_pct,
  round(price_change_to_match_10y_pp, 2) AS price_rise_to_match_10y_pp,
  round(real_return_at_2pct_inflation_pct, 2) AS real_return_at_2pct, round(real_return_at_5pct_inflation_pct, 2) AS at_5pct,
  round(price_rise_needed_at_5pct_inflation_pct, 2) AS price_rise_needed_at_5pct, absent_reason
FROM relative_attractiveness
WHERE as_of_date = (SELECT as_of_date FROM regime_current)
ORDER BY yield_pct DESC NULLS LAST;

-- [after_such_spells] What were the returns twelve months after each spell of a label began?
-- A description of a few cases, not a forecast: count the spells before using the figures.
SELECT spell_start_date, spell_end_date, is_open, spell_month_ends, asset, asset_basis, round(return_pct, 1) AS return_pct
FROM forward_returns_by_spell
WHERE regime = (SELECT regime FROM regime_current) AND horizon_months = 12
ORDER BY spell_start_date, asset;

-- [announcements] Which announcements set the direction of the balance sheet?
SELECT announced_on, counts_from_date, direction, what, size_text, source
FROM policy_events
WHERE changes_direction ORDER BY announced_on DESC;

-- [destination] Where did the liquidity go?
SELECT as_of_date, destination, asset_signals_up, asset_signals_known, round(equity_real_return_12m_pct, 1) AS equity_real_12m_pct,
  round(gold_return_12m_pct, 1) AS gold_12m_pct, round(core_pce_yoy_pct, 2) AS core_pce_yoy_pct
FROM liquidity_destination
ORDER BY as_of_date DESC LIMIT 12;

-- [caveats] What must I know before relying on the newest row?
SELECT severity, caveat_id, text, affected_columns
FROM caveats
WHERE applies_now
ORDER BY list_position(['warning', 'caution', 'note'], severity), caveat_id;

-- [provenance_of_one_number] Where does one number come from?
-- The row names series, observation and the day it became known; derived_from and source_series name all inputs.
SELECT p.as_of_date, p.series_ids, p.observation_date, p.available_on, p.vintage_source, p.is_pseudo, p.absent_reason,
  c.definition, c.unit, c.derived_from, c.source_series, c.rights
FROM provenance AS p LEFT JOIN columns AS c USING (table_name, column_name)
WHERE table_name = 'equity_risk_premium' AND column_name = 'erp_vs_real_10y_pp' AND p.as_of_date = DATE '2025-10-31';

-- [late_figures] Which figures were fetched too late for a live row?
-- Live rows never change; these are the values they would have used. Empty as long as no figure was late.
SELECT as_of_date, series_id, observation_date, realtime_start, value_used, value_late, captured_at, captured_until
FROM late_figures
ORDER BY as_of_date DESC, series_id, observation_date;

-- [corrected_rows] Which backfilled rows changed after they were published, and why?
-- By release and cause; every changed cell of regime is a row of row_corrections. Empty as long as there are no corrections.
SELECT release_id, reason, series_ids, count(DISTINCT as_of_date) AS month_ends,
  count(*) FILTER (WHERE column_name = 'regime') AS labels, min(as_of_date) AS first_date, max(as_of_date) AS last_date
FROM row_corrections
WHERE table_name = 'regime'
GROUP BY release_id, reason, series_ids ORDER BY release_id DESC, reason, series_ids;

-- [known_against_revised] On which dates would today's figures give another label?
-- All equal on the bundled sample, which has one vintage.
SELECT year(as_of_date) AS year, count(*) AS month_ends, count(*) FILTER (WHERE NOT is_same_regime) AS labels_that_differ,
  round(max(abs(score_revision)), 3) AS largest_revision_of_the_score, mode(explained_by) AS mostly_explained_by
FROM regime_revised
WHERE is_month_end AND regime_revised IS NOT NULL
GROUP BY year ORDER BY year DESC;

-- [other_methods] Would another reasonable method give another label now?
SELECT variant, regime_variant, condition_state_variant, stance_variant, round(variant_score, 2) AS score, is_same_regime
FROM method_variants
WHERE as_of_date = (SELECT max(as_of_date) FROM method_variants)
ORDER BY variant;
