-- Recommendations that nobody signed, that are not filled in, that cite no report of the window, or that share a number. Grain: one row per offending commitment.
select commitment_id, count(*) as row_count
from report_action
where report_id = $report_id
group by commitment_id
having count(*) > 1
    or bool_or(
        starts_with(office, 'PENDIENTE') or starts_with(next_step, 'PENDIENTE') or starts_with(signed_by, 'PENDIENTE')
        or starts_with(evidence, 'PENDIENTE') or starts_with(commitment_id, 'PENDIENTE')
    )
    or bool_or(cited_report_id is null or cited_report_id not in (select report_id from report))
    or bool_or((issue_id is not null) and not starts_with(issue_id, category_id || '.'))
