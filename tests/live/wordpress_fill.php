<?php
/**
 * Fills a WordPress by its own functions and prints the numbers that it gave: {"posts": {key: id}, "comments": {key: id}}.
 *
 *     php wordpress_fill.php FOLDER PLAN.json
 *
 * Where the plan has no posts the site itself is installed. What visitors write goes through `wp_new_comment`, as their form does, so
 * WordPress's own filters see it; what a moderator does afterwards (edit, hold, spam, trash, delete) goes through his functions.
 */

$folder = $argv[1];
$plan = json_decode(file_get_contents($argv[2]), true);
$_SERVER['HTTP_HOST'] = $plan['host'];
$_SERVER['REQUEST_URI'] = '/';
if (isset($plan['install'])) {
    define('WP_INSTALLING', true);
}
require $folder . '/wp-load.php';

if (isset($plan['install'])) {
    require_once ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_install($plan['install'], 'redaccion', 'redaccion@' . $plan['host'], true, '', wp_generate_password());
    foreach ($plan['options'] as $name => $value) {
        update_option($name, $value);
    }
    foreach (get_posts(array('post_type' => array('post', 'page'), 'post_status' => 'any', 'numberposts' => -1)) as $sample) {
        wp_delete_post($sample->ID, true);
    }
    exit;
}

flush_rewrite_rules(false);
add_filter('pre_wp_mail', '__return_true');
remove_all_actions('check_comment_flood');
remove_all_filters('wp_is_comment_flood');

function made($result, $key) {
    if (is_wp_error($result) || !$result) {
        fwrite(STDERR, $key . ': ' . (is_wp_error($result) ? $result->get_error_message() : 'refused') . "\n");
        exit(1);
    }
    return (int) $result;
}

$users = array();
foreach ($plan['users'] as $login => $name) {
    $known = username_exists($login);
    $users[$login] = $known ? $known : made(wp_insert_user(array(
        'user_login' => $login, 'user_pass' => wp_generate_password(), 'display_name' => $name, 'role' => 'author',
        'user_email' => $login . '@' . $plan['host'],
    )), $login);
    wp_update_user(array('ID' => $users[$login], 'display_name' => $name));
}

$posts = array();
foreach ($plan['posts'] as $row) {
    // What an editor writes begins as a draft, whose guid is `?p=N`; what a program publishes has its permalink for a guid.
    $draft = $row['imported'] ? 0 : made(wp_insert_post(array(
        'post_title' => 'Borrador', 'post_status' => 'auto-draft', 'post_type' => $row['type'],
    ), true), $row['key']);
    $posts[$row['key']] = made(wp_insert_post(wp_slash(array(
        'ID' => $draft,
        'post_title' => $row['title'], 'post_content' => $row['content'], 'post_status' => $row['status'],
        'post_type' => $row['type'], 'post_date' => $row['date'], 'post_author' => $users[$row['user']],
        'post_password' => $row['password'], 'comment_status' => 'open', 'ping_status' => 'open',
    )), true), $row['key']);
}

$comments = array();
foreach ($plan['comments'] as $row) {
    $user = $row['user'] === null ? 0 : $users[$row['user']];
    wp_set_current_user($user);
    $fields = array(
        'comment_post_ID' => $posts[$row['post']],
        'comment_parent' => $row['parent'] === null ? 0 : $comments[$row['parent']],
        'comment_author' => $row['author'], 'comment_author_email' => '', 'comment_author_url' => $row['url'],
        'comment_content' => $row['typed'], 'comment_type' => $row['type'], 'comment_date_gmt' => $row['date_gmt'],
        'comment_date' => get_date_from_gmt($row['date_gmt']), 'comment_author_IP' => '127.0.0.1', 'comment_agent' => 'prueba',
        'user_id' => $user,
    );
    $comments[$row['key']] = made(wp_new_comment(wp_slash($fields), true), $row['key']);
}
wp_set_current_user(1);
foreach ($plan['comments'] as $row) {
    $id = $comments[$row['key']];
    if ($row['edited'] !== null) {
        wp_update_comment(wp_slash(array('comment_ID' => $id, 'comment_content' => $row['edited'])));
    }
    if ($row['fate'] === 'deleted') {
        wp_delete_comment($id, true);
    } elseif ($row['fate'] !== 'approve') {
        wp_set_comment_status($id, $row['fate']);
    }
}
foreach ($plan['edits'] ?? array() as $id => $text) {
    made(wp_update_comment(wp_slash(array('comment_ID' => $id, 'comment_content' => $text))), $id);
}
foreach ($plan['taken_down'] ?? array() as $id) {
    wp_set_comment_status($id, 'hold');
}
echo json_encode(array('version' => get_bloginfo('version'), 'posts' => $posts, 'comments' => $comments));
