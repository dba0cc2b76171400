api=http://localhost:3000
json='content-type: application/json'
ada="{\"username\":\"ada-$(date +%s)\",\"password\":\"correct horse battery staple\"}"
show='\n%{http_code} %{url_effective}\n'
pick () { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

curl -s -w "$show" $api/auth/register -H "$json" -d "$ada"

answer=$(curl -s -w "$show" $api/auth/login -H "$json" -d "$ada"); echo "$answer"
access=$(echo "$answer" | pick access_token); refresh=$(echo "$answer" | pick refresh_token)
curl -s -w "$show" $api/secret -H "authorization: Bearer $access"

answer=$(curl -s -w "$show" $api/auth/refresh -H "$json" -d "{\"refresh_token\":\"$refresh\"}"); echo "$answer"
access=$(echo "$answer" | pick access_token); refresh=$(echo "$answer" | pick refresh_token)

curl -s -w "$show" $api/auth/logout -H "$json" -d "{\"refresh_token\":\"$refresh\"}"
curl -s -w "$show" $api/secret -H "authorization: Bearer $access"
