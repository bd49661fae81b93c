-- Groups whose words are not numbered from 1, repeat, do not fall in weight, or are of too few messages. Grain: one row per offending channel, category and issue.
select w.channel, w.category_id, w.issue_id, count(*) as word_count
from report_word as w
left join report_category as c on c.report_id = w.report_id and c.channel = w.channel and c.category_id = w.category_id
left join report_issue as i on i.report_id = w.report_id and i.channel = w.channel and i.issue_id = w.issue_id
where w.report_id = $report_id
group by w.channel, w.category_id, w.issue_id
having max(w.position) <> count(*)
    or count(distinct w.position) <> count(*)
    or count(distinct w.word) <> count(*)
    or min(w.weight) <= 0
    or max(w.weight) <> 1
    or arg_min(w.weight, w.position) <> 1
    or coalesce(min(case when w.issue_id is null then c.manifestation_count else i.manifestation_count end), 0) < 5
