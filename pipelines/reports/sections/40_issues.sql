-- The largest issues of each category of the main channel. Grain: one row per category and issue, five issues at most.
with ranked as (
    select
        i.*,
        row_number() over (partition by i.category_id order by i.manifestation_count desc, i.issue_id) as place,
        sum(i.manifestation_count) over (partition by i.category_id) as with_issue,
        count(*) filter (i.manifestation_count is null) over (partition by i.category_id) as untold,
        sum(i.manifestation_count) over (
            partition by i.category_id
            order by i.manifestation_count desc, i.issue_id
            rows between unbounded preceding and current row
        ) as listed_count
    from report_issue as i
    where i.report_id = $report_id and i.channel = $channel
),

typical as (
    -- The words that set each issue apart, and its category where issue_id is null.
    select category_id, issue_id, list(word order by position)[:6] as words
    from report_word
    where report_id = $report_id and channel = $channel
    group by category_id, issue_id
)

select
    ranked.* exclude (with_issue, listed_count, untold),
    typical.words,
    whole.words as category_words,
    p.place_name,
    c.manifestation_count as base,
    -- A sum of which one part is not told is not told either.
    case when ranked.untold = 0 then (c.manifestation_count - ranked.with_issue)::bigint end as without_issue_count,
    case
        when ranked.untold <= count(*) filter (ranked.manifestation_count is null) over (partition by ranked.category_id)
            then (ranked.with_issue - max(ranked.listed_count) over (partition by ranked.category_id))::bigint
    end as other_issue_count,
    dense_rank() over (order by c.category_id in ('otros', 'unclassified'), c.manifestation_count desc, c.position) as category_place
from ranked
join report_category as c using (report_id, channel, category_id)
left join typical on typical.category_id = ranked.category_id and typical.issue_id = ranked.issue_id
left join typical as whole on whole.category_id = ranked.category_id and whole.issue_id is null
left join report_issue_place as p
    on p.report_id = ranked.report_id and p.channel = ranked.channel and p.issue_id = ranked.issue_id
where ranked.place <= 5
order by category_place, ranked.place
