-- Queries for common questions, for any DuckDB client from 1.2 on, with regime.duckdb opened directly and read-only.
-- A block begins with [name] and its question; the lines below it are notes. Change the dates in a query as you need.

-- [where_do_we_stand] What is the current label, and since when?
SELECT as_of_date, regime, regime_since, stance, stance_driver, condition_state,
  round(bubble_score, 2) AS bubble_score, round(distance_to_threshold, 2) AS distance, coverage, pit_grade
FROM regime_current;

-- [since_when] Which labels applied, from when to when?
-- The current label has no last month-end. The row of a run date inside a month is provisional and left out.
WITH spells AS (
  SELECT as_of_date, regime,
    count(*) FILTER (WHERE is_new) OVER (ORDER BY as_of_date) AS spell
  FROM (
    SELECT as_of_date, regime, regime IS DISTINCT FROM lag(regime) OVER (ORDER BY as_of_date) AS is_new
    FROM regime WHERE is_month_end
  )
)
SELECT min(as_of_date) AS first_month_end,
  nullif(max(as_of_date), (SELECT max(as_of_date) FROM spells)) AS last_month_end,
  any_value(regime) AS regime, count(*) AS month_ends
FROM spells GROUP BY spell ORDER BY first_month_end DESC;

-- [why] Why: what is the value of each input, and its share of the score?
-- Contributions of valuation, economy and credit add up to bubble_score; inflation is shown but is not part of it.
SELECT condition, component, round(value, 2) AS value, unit, observation_date, available_on,
  round(score, 2) AS score, round(contribution, 3) AS contribution, absent_reason
FROM evidence_current
ORDER BY condition, contribution DESC, component;

-- [what_would_flip_it] Which single input could change the label, and by how much must it move?
-- Nearest first. A threshold that no single input can reach is not listed: see reachability in the table.
SELECT leads_to, flip, component, component_unit, round(component_value, 2) AS now,
  round(required_value, 2) AS needed, round(required_move, 2) AS move, reachability, month_ends_needed, next_release_date
FROM distance_to_flip
WHERE as_of_date = (SELECT as_of_date FROM regime_current) AND reachability IN ('reachable', 'met')
ORDER BY abs(required_move) NULLS LAST, flip, component;

-- [what_changed] What changed since the previous month-end, and since the last publication?
SELECT compared_with, item, before_as_of_date, coalesce(text_before, round(value_before, 3)::VARCHAR) AS before,
  coalesce(text_now, round(value_now, 3)::VARCHAR) AS now, unit
FROM what_changed
ORDER BY compared_with, item;

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

-- [everything_known_on_a_date] What was the newest figure of every series on a date?
-- A series without a figure in the two years before the date counts as discontinued.
SELECT series_id, max(observation_date) AS observation_date, arg_max(value, observation_date) AS value,
  arg_max(realtime_start, observation_date) AS known_since
FROM all_as_of(DATE '2008-11-25')
WHERE value IS NOT NULL AND observation_date > DATE '2006-11-25'
GROUP BY series_id ORDER BY series_id;

-- [label_on_a_date] Which label was in force on a date?
SELECT as_of_date, regime, stance, condition_state, round(bubble_score, 2) AS bubble_score, pit_grade
FROM regime
WHERE is_month_end AND as_of_date <= DATE '2012-09-13'
ORDER BY as_of_date DESC LIMIT 1;

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

-- [equity_risk_premium] What is the equity risk premium, by four measures?
-- Earnings of the last twelve months (not in the sample) and of the national accounts, less nominal and real yield.
SELECT e.as_of_date,
  round(e.earnings_yield_ttm_pct - y.nominal_10y_pct, 2) AS trailing_vs_nominal_10y_pp,
  round(e.earnings_yield_ttm_pct - y.real_10y_pct, 2) AS trailing_vs_real_10y_pp,
  round(e.earnings_yield_nipa_pct - y.nominal_10y_pct, 2) AS national_accounts_vs_nominal_10y_pp,
  round(e.earnings_yield_nipa_pct - y.real_10y_pct, 2) AS national_accounts_vs_real_10y_pp,
  e.earnings_yield_basis AS basis_of_the_score
FROM equity_risk_premium AS e JOIN real_yields AS y USING (as_of_date)
WHERE month(as_of_date) = 12 OR as_of_date = (SELECT as_of_date FROM regime_current)
ORDER BY as_of_date DESC;

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
FROM provenance AS p JOIN columns AS c USING (table_name, column_name)
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

-- [old_inputs] Which inputs are too old to be used, or about to be?
SELECT s.series_id, s.last_period_end, r.as_of_date - s.last_period_end AS age_days, s.staleness_limit_days,
  s.fetch_status, s.role
FROM series AS s CROSS JOIN regime_current AS r
WHERE s.in_profile AND s.staleness_limit_days > 0
ORDER BY (r.as_of_date - s.last_period_end) / s.staleness_limit_days DESC NULLS LAST LIMIT 10;

-- [own_figures] Which label was known on each day of a file of my own?
-- own.csv is in your working folder, with the columns date and value. Only month-ends up to the day are used.
SELECT own.date, own.value, r.as_of_date, r.regime, round(r.bubble_score, 2) AS bubble_score
FROM read_csv('own.csv', header = true) AS own
ASOF LEFT JOIN (SELECT * FROM regime WHERE is_month_end) AS r ON own.date >= r.as_of_date
ORDER BY own.date;
