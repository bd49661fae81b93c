-- What was promised for the period before, then and now. Grain: named beside each query.

-- name: applies
-- One row, or none without such a promise.
select 1 as applies
from report_promise
where report_id = $report_id
limit 1

-- name: rows
-- One row per promise, in the order of its form.
select *
from report_promise
where report_id = $report_id
order by position
