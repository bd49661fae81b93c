-- Recommendations that are filled in and signed. Grain: named beside each query.

-- name: applies
-- One row, or none without such a recommendation.
select 1 as applies
from report_action
where report_id = $report_id
limit 1

-- name: rows
-- One row per recommendation, in the order of the form.
select *
from report_action
where report_id = $report_id
order by position
