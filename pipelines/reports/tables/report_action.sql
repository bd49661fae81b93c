-- Recommendations that a person filled in and an office signed. Grain: one row per report and recommendation.
select
    $report_id as report_id,
    channel,
    position,
    commitment_id,
    finding,
    category_id,
    issue_id,
    evidence,
    office,
    next_step,
    review_on,
    signed_by,
    cited_report_id
from action_entry
order by position
