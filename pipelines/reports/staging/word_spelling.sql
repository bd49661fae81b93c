-- How each word is written most often. Grain: one row per word.
select word, lemma
from item_word
group by word, lemma
qualify row_number() over (partition by word order by count(*) desc, lemma) = 1
