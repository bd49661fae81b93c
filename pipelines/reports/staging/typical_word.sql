-- The words that set a category or an issue apart, by class-based tf-idf. Grain: one row per channel, category, issue (null: the category as a whole) and position.
-- A word weighs by how many texts that are no copies of one another have it, so that a text sent a hundred times counts once;
-- it is listed only if at least $least_voices persons of the group used it.
with said as (
    select i.channel, i.category_id, i.issue_id, i.copy_group, i.person, w.word
    from counted_item as i
    join item_word as w using (item)
),

-- Beside the issues stands what names none, so that a word of the whole category sets no issue apart.
grouped as (
    select 'category' as level, channel, category_id, null as issue_id, copy_group, person, word from said
    union all
    select 'issue', channel, category_id, issue_id, copy_group, person, word from said
),

used as (
    select
        level, channel, category_id, issue_id, word,
        count(distinct copy_group) as texts,
        count(distinct person) as persons
    from grouped
    group by all
),

weighed as (
    select
        used.*,
        sum(texts) over (partition by level, channel) / classes.n as mean_texts,
        sum(texts) over (partition by level, channel, word) as texts_anywhere
    from used
    join (
        select level, channel, count(distinct (category_id, coalesce(issue_id, ''))) as n
        from used
        group by all
    ) as classes using (level, channel)
),

ranked as (
    select
        *,
        texts * ln(1 + mean_texts / texts_anywhere) as score,
        row_number() over (partition by level, channel, category_id, issue_id order by round(score, 9) desc, word) as position
    from weighed
    where persons >= $least_voices and (level = 'category' or issue_id is not null)
        and category_id not in ('otros', 'unclassified')
)

select
    ranked.channel,
    ranked.category_id,
    ranked.issue_id,
    ranked.position::integer as position,
    ranked.word as word_key,
    spelling.lemma as word,
    greatest(round(ranked.score / max(ranked.score) over (partition by ranked.level, ranked.channel, ranked.category_id, ranked.issue_id), 3), 0.001) as weight
from ranked
join word_spelling as spelling using (word)
where ranked.position <= 8
